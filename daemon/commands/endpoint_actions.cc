#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

struct Options {
    AdminTarget admin;
    std::string name;
};

using Run = int (*)(const Options&);

Result<std::string> act(const Options& options, const std::string& action) {
    return call_admin(options.admin,
                      {.method = "POST",
                       .path = "/v1/endpoints/" + percent_encoded(options.name) + '/' + action});
}

int tell(const Options& options, const std::string& action, const std::string& done) {
    const Result<std::string> body = act(options, action);
    if (!body) return fail(body.error().message());
    const std::string text = options.admin.as_json ? *body : done + printable(options.name) + '\n';
    return print(text).value_or(ok);
}

int run_pause(const Options& options) { return tell(options, "pause", "paused "); }

int run_resume(const Options& options) { return tell(options, "resume", "resumed "); }

/// `audit answered 204 in 12 ms`, `audit: connect: Connection refused`.
std::string describe(const Options& options, const json& result) {
    const std::string name = printable(options.name);
    const double seconds = result.value("duration_seconds", 0.0);
    const std::string took = " in " + std::to_string(static_cast<long>(seconds * 1000)) + " ms";
    const std::string status = shown(result, "status");
    if (status != "-") return name + " answered " + status + took;
    const std::string error = shown(result, "error");
    const std::string message = shown(result, "message");
    const std::string detail = message == "-" ? "" : " (" + message + ")";
    if (error != "-") return name + " gave no answer: " + error + detail + took;
    return name + " took it" + took;
}

int run_test(const Options& options) {
    const Result<std::string> body = act(options, "test");
    if (!body) return fail(body.error().message());
    const Result<json> result = parse_answer(options.admin, *body);
    if (!result) return fail(result.error().message());
    const bool is_delivered = result->value("delivered", false);
    const std::string text = describe(options, *result);
    if (options.admin.as_json) {
        const std::optional<int> code = print(*body);
        return is_delivered ? code.value_or(ok) : failed;
    }
    if (!is_delivered) return fail(text);
    return print(text + '\n').value_or(ok);
}

CLI::App* add_action(CLI::App& root, Chosen& chosen, std::pair<const char*, const char*> texts,
                     Run run) {
    CLI::App* const command = root.add_subcommand(texts.first, texts.second);
    const auto options = std::make_shared<Options>();
    command->add_option("NAME", options->name, "The endpoint's name")->required();
    add_admin_options(*command, options->admin);
    command->callback(
        [&chosen, run, options] { chosen = [run, options] { return run(*options); }; });
    return command;
}

}  // namespace

void add_endpoint_actions(CLI::App& root, Chosen& chosen) {
    add_action(root, chosen, {"pause", "Send nothing to an endpoint until it is resumed"},
               run_pause)
        ->footer(
            "Its events are queued meanwhile. It lasts until `resume`, or until the daemon "
            "ends.\n\n"
            "Example: fanfare pause audit");
    add_action(root, chosen, {"resume", "Send to a paused endpoint again"}, run_resume)
        ->footer("Example: fanfare resume audit");
    add_action(root, chosen, {"test", "Send a ping event to an endpoint, past its queue"}, run_test)
        ->footer(
            "Exits 1 if the endpoint does not take it, within 30 seconds or its own timeout.\n\n"
            "Example: fanfare test audit");
}

}  // namespace fanfare::command
