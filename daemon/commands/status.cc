#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

struct Options {
    AdminTarget admin;
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
    return {printable(endpoint.at("name").get<std::string>()),
            printable(endpoint.at("state").get<std::string>()),
            std::to_string(endpoint.at("pending").get<std::uint64_t>()),
            one_decimal(endpoint.at("oldest_pending_seconds").get<double>()) + 's',
            std::to_string(endpoint.at("in_flight").get<std::uint64_t>()),
            one_decimal(endpoint.at("rate").get<double>()) + "/s",
            std::to_string(counters.at("successes").get<std::uint64_t>()),
            std::to_string(counters.at("failures").get<std::uint64_t>()),
            std::to_string(sum(counters.at("errors"))),
            std::to_string(sum(counters.at("dropped"))),
            std::to_string(sum(counters.at("dead_letters"))),
            error.is_null() ? "-" : printable(error.at("message").get<std::string>())};
}

std::string render(const nlohmann::json& list) {
    std::vector<Row> rows{{"NAME", "STATE", "PENDING", "OLDEST", "IN-FLIGHT", "RATE", "DELIVERED",
                           "FAILURES", "ERRORS", "DROPPED", "DEAD", "LAST-ERROR"}};
    for (const nlohmann::json& endpoint : list.at("endpoints")) rows.push_back(row_of(endpoint));
    return table(rows);
}

/// Exit code, or nothing if it went well.
std::optional<int> show(const Options& options) {
    const Result<std::string> body = call_admin(options.admin, {.path = "/v1/endpoints"});
    if (!body) return fail(body.error().message());
    std::string text = *body;
    if (!options.admin.as_json) {
        try {
            text = render(nlohmann::json::parse(*body));
        } catch (const nlohmann::json::exception&) {
            return fail(printable(options.admin.url) + " does not answer like a fanfare daemon");
        }
        // Clear the screen, so that the table stays in its place.
        if (options.watch && isatty(STDOUT_FILENO) != 0) text.insert(0, "\x1b[H\x1b[2J");
    }
    return print(text);
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
    add_admin_options(*command, options->admin);
    command->add_flag("-w,--watch", options->watch, "Show it again every two seconds");
    command->footer("Example: fanfare status --watch");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
