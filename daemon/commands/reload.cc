#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/http_call.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

/// `a, b`, or `-` if there is none.
std::string names(const json& result, const char* field) {
    const auto found = result.find(field);
    if (found == result.end() || !found->is_array()) return "-";
    std::string text;
    for (const json& name : *found) {
        if (!text.empty()) text += ", ";
        if (name.is_string()) text += name.get<std::string>();
    }
    return text.empty() ? "-" : printable(text);
}

std::string describe(const json& result) {
    if (shown(result, "result") == "noop") return "unchanged, nothing to do\n";
    std::string text = "reloaded\n";
    for (const char* const field : {"added", "changed", "removed"}) {
        text += std::string("  ") + field + ": " + names(result, field) + '\n';
    }
    const std::string settings = names(result, "settings");
    if (settings != "-") text += "  settings: " + settings + '\n';
    const std::string waiting = names(result, "needs_restart");
    if (waiting != "-") text += "  takes effect after a restart only: " + waiting + '\n';
    return text;
}

/// The problems of a configuration, as `check` prints them. False: it is another refusal.
bool tell_problems(const json& result) {
    const auto errors = result.find("errors");
    if (errors == result.end() || !errors->is_array() || errors->empty()) return false;
    for (const json& error : *errors) {
        if (shown(error, "code") != "CONFIG_INVALID") return false;
        std::fprintf(stderr, "%s\n", shown(error, "message").c_str());
    }
    return true;
}

int run(const AdminTarget& target) {
    AdminRequest request;
    request.method = "POST";
    request.path = "/-/reload";
    const Result<SimpleResponse> answer = ask_admin(target, request);
    if (!answer) return fail(answer.error().message());
    const bool is_good = answer->status == 200;
    if (target.as_json && (is_good || answer->status == 400)) {
        return print(answer->body).value_or(is_good ? ok : failed);
    }
    if (!is_good && answer->status != 400) return fail(explain(target, request, *answer));
    const Result<json> result = parse_answer(target, answer->body);
    if (!result) return fail(result.error().message());
    if (is_good) return print(describe(*result)).value_or(ok);
    if (tell_problems(*result)) return fail("the configuration is refused, the old one stays");
    return fail(explain(target, request, *answer));
}

}  // namespace

void add_reload(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("reload", "Have a running daemon read its configuration again");
    const auto target = std::make_shared<AdminTarget>();
    add_admin_options(*command, *target);
    command->footer(
        "Prints what has changed. A configuration that is refused changes nothing: its problems\n"
        "are printed, and the exit code is 1.\n\n"
        "Example: fanfare reload");
    command->callback([&chosen, target] { chosen = [target] { return run(*target); }; });
}

}  // namespace fanfare::command
