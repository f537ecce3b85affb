#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

using nlohmann::ordered_json;

struct Options {
    AdminTarget admin;
    std::string name;
    std::uint64_t attempts = 0;
};

constexpr const char* endpoints_path = "/v1/endpoints";

std::string text_of(const ordered_json& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return printable(value.get_ref<const std::string&>());
    return printable(value.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

/// `retry.strategy  breaker`: every value with the names on the way to it. Lists of words and
/// numbers stay together.
void flatten(const std::string& path, const ordered_json& value, std::vector<Row>& rows) {
    if (value.is_object() && !value.empty()) {
        for (const auto& [name, inner] : value.items()) {
            flatten(path.empty() ? printable(name) : path + '.' + printable(name), inner, rows);
        }
        return;
    }
    if (value.is_array()) {
        std::string words;
        for (const ordered_json& item : value) words += (words.empty() ? "" : ", ") + text_of(item);
        rows.push_back({path, words.empty() ? "-" : words});
        return;
    }
    rows.push_back({path, value.is_object() ? "-" : text_of(value)});
}

std::string seconds(const ordered_json& settings, const char* name) {
    return text_of(settings.at(name)) + 's';
}

std::string render_list(const ordered_json& endpoints) {
    std::vector<Row> rows{
        {"NAME", "STATE", "TIMEOUT", "IN-FLIGHT-MAX", "FORMAT", "RETRY", "OVERFLOW", "URL"}};
    for (const ordered_json& endpoint : endpoints) {
        const ordered_json& settings = endpoint.at("settings");
        rows.push_back({text_of(endpoint.at("name")), text_of(endpoint.at("state")),
                        seconds(settings, "timeout_seconds"), text_of(settings.at("max_in_flight")),
                        text_of(settings.at("format")),
                        text_of(settings.at("retry").at("strategy")),
                        text_of(settings.at("queue").at("overflow")), text_of(settings.at("url"))});
    }
    return table(rows);
}

std::string render_one(const ordered_json& endpoint) {
    [[maybe_unused]] const ordered_json& name = endpoint.at("name");  // else it is none
    std::vector<Row> rows;
    flatten("", endpoint, rows);
    return table(rows);
}

std::string render_attempts(const ordered_json& attempts) {
    std::vector<Row> rows{{"AT", "EVENT-ID", "ATTEMPT", "SECONDS", "ANSWER"}};
    for (const ordered_json& attempt : attempts) {
        const ordered_json status = attempt.value("status", ordered_json());
        rows.push_back({text_of(attempt.at("at")), text_of(attempt.at("event_id")),
                        text_of(attempt.at("attempt")), text_of(attempt.at("duration_seconds")),
                        text_of(status.is_null() ? attempt.at("error") : status)});
    }
    return table(rows);
}

AdminRequest request_for(const Options& options) {
    AdminRequest request;
    request.path = endpoints_path;
    if (options.name.empty()) return request;
    request.path += '/' + percent_encoded(options.name);
    if (options.attempts > 0) {
        request.path += "/attempts";
        request.query.emplace_back("limit", std::to_string(options.attempts));
    }
    return request;
}

std::string render(const Options& options, const ordered_json& answer) {
    if (options.name.empty()) return render_list(answer.at("endpoints"));
    return options.attempts > 0 ? render_attempts(answer.at("attempts")) : render_one(answer);
}

int run(const Options& options) {
    const Result<std::string> body = call_admin(options.admin, request_for(options));
    if (!body) return fail(body.error().message());
    if (options.admin.as_json) return print(*body).value_or(ok);
    std::string text;
    try {
        text = render(options, ordered_json::parse(*body));
    } catch (const ordered_json::exception&) {
        return fail(printable(options.admin.url) + " does not answer like a fanfare daemon");
    }
    return print(text).value_or(ok);
}

}  // namespace

void add_endpoints(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("endpoints", "List the endpoints and their settings, or show one");
    const auto options = std::make_shared<Options>();
    CLI::Option* const name =
        command->add_option("NAME", options->name, "Show all there is to tell about this one");
    command
        ->add_option("--attempts", options->attempts,
                     "Of one endpoint: its last attempts, the newest first; 100 are kept")
        ->type_name("N")
        ->check(CLI::Range(1, 100))
        ->needs(name);
    add_admin_options(*command, options->admin);
    command->footer(
        "What waits at each, and how fast it goes, is shown by `fanfare status`.\n\n"
        "Examples:\n"
        "  fanfare endpoints\n"
        "  fanfare endpoints audit\n"
        "  fanfare endpoints audit --attempts 10\n"
        "  fanfare endpoints --json | jq -r '.endpoints[].settings.url'");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
