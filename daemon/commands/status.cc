#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/command.h"
#include "commands/http_call.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

struct Options {
    std::string url = "http://127.0.0.1:8081";
    std::string token_file;
    bool as_json = false;
    bool watch = false;
};

constexpr int watch_interval_ms = 2000;

std::string one_decimal(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::uint64_t sum(const nlohmann::json& counts) {
    std::uint64_t total = 0;
    for (const auto& count : counts) total += count.get<std::uint64_t>();
    return total;
}

Row row_of(const nlohmann::json& endpoint) {
    const nlohmann::json& counters = endpoint.at("counters");
    const nlohmann::json& error = endpoint.at("last_error");
    const std::uint64_t lost = sum(counters.at("dropped")) + sum(counters.at("dead_letters"));
    return {printable(endpoint.at("name").get<std::string>()),
            printable(endpoint.at("state").get<std::string>()),
            std::to_string(endpoint.at("pending").get<std::uint64_t>()),
            one_decimal(endpoint.at("oldest_pending_seconds").get<double>()) + 's',
            std::to_string(endpoint.at("in_flight").get<std::uint64_t>()),
            one_decimal(endpoint.at("rate").get<double>()) + "/s",
            std::to_string(counters.at("successes").get<std::uint64_t>()),
            std::to_string(counters.at("failures").get<std::uint64_t>()),
            std::to_string(sum(counters.at("errors"))),
            std::to_string(lost),
            error.is_null() ? "-" : printable(error.at("message").get<std::string>())};
}

std::string render(const nlohmann::json& list) {
    std::vector<Row> rows{{"NAME", "STATE", "PENDING", "OLDEST", "IN-FLIGHT", "RATE", "DELIVERED",
                           "FAILURES", "ERRORS", "LOST", "LAST-ERROR"}};
    for (const nlohmann::json& endpoint : list.at("endpoints")) rows.push_back(row_of(endpoint));
    return table(rows);
}

Result<std::string> ask(const Options& options) {
    SimpleRequest request;
    request.url = url_of(options.url, "/v1/endpoints");
    const Result<void> token = add_token(request, options.token_file);
    if (!token) return token.error();
    const Result<SimpleResponse> answer = fetch(request);
    if (!answer) return answer.error();
    if (answer->status != 200) return Error(explain(request, *answer));
    return Result<std::string>(boost::system::in_place_value, answer->body);
}

/// Exit code, or nothing if it went well.
std::optional<int> show(const Options& options) {
    const Result<std::string> body = ask(options);
    if (!body) return fail(body.error().message());
    std::string text = *body;
    if (!options.as_json) {
        try {
            text = render(nlohmann::json::parse(*body));
        } catch (const nlohmann::json::exception&) {
            return fail(options.url + " does not answer like a fanfare daemon");
        }
        // Clear the screen, so that the table stays in its place.
        if (options.watch && isatty(STDOUT_FILENO) != 0) text.insert(0, "\x1b[H\x1b[2J");
    }
    if (!print(text)) return ok;
    return std::nullopt;
}

/// Waits for the next time to show it; false if the reader of the output leaves meanwhile.
bool wait_for_next() {
    pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    return poll(&output, 1, watch_interval_ms) == 0;
}

int run(const Options& options) {
    for (;;) {
        const std::optional<int> code = show(options);
        if (code) return *code;
        if (!options.watch || !wait_for_next()) return ok;
    }
}

}  // namespace

void add_status(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("status", "Show the endpoints of a running daemon");
    const auto options = std::make_shared<Options>();
    command->add_option("--url", options->url, "The daemon's admin listener")
        ->capture_default_str();
    command->add_option("--token-file", options->token_file, "File with the admin bearer token");
    command->add_flag("--json", options->as_json, "Print what the daemon answers, as JSON");
    command->add_flag("-w,--watch", options->watch, "Show it again every two seconds");
    command->footer("Example: fanfare status --watch");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
