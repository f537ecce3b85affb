#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/timestamp.h"
#include "base/units.h"
#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/interrupt.h"
#include "commands/screen.h"
#include "commands/status_table.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

struct Options {
    AdminTarget admin;
    bool watch = false;
    std::string interval_text = "2s";
};

/// While it is watched, a daemon that hangs is to be seen as such soon.
constexpr Duration watch_answer_max = std::chrono::seconds(5);

std::string not_a_daemon(const AdminTarget& target) {
    return printable(target.url) + " does not answer like a fanfare daemon";
}

int show_once(const Options& options) {
    const Result<std::string> body = call_admin(options.admin, {.path = "/v1/endpoints"});
    if (!body) return fail(body.error().message());
    if (options.admin.as_json) return print(*body).value_or(ok);
    std::string text;
    try {
        text = status_table(json::parse(*body), nullptr, std::chrono::system_clock::now());
    } catch (const json::exception&) {
        return fail(not_a_daemon(options.admin));
    }
    return print(text).value_or(ok);
}

/// Shows it again and again, over times without a daemon.
class Watch {
  public:
    Watch(const Options& options, Duration interval)
        : options_(options),
          interval_(interval),
          is_on_screen_(!options.admin.as_json && isatty(STDOUT_FILENO) != 0),
          interrupt_(is_on_screen_ ? Screen::farewell : "") {}

    int run() {
        for (;;) {
            std::optional<int> code = look();
            if (!code && interrupt_.wait(interval_)) code = ok;
            if (!code) continue;
            screen_.reset();
            if (!problem_.empty()) return fail(problem_, *code);
            return *code;
        }
    }

  private:
    /// Exit code, or nothing: to be gone on with.
    std::optional<int> look() {
        const AdminRequest request{.path = "/v1/endpoints",
                                   .timeout = watch_answer_max,
                                   .stop_descriptor = interrupt_.descriptor()};
        const Result<SimpleResponse> answer = ask_admin(options_.admin, request);
        if (interrupt_.is_raised()) return ok;
        if (!answer) return miss(answer.error().message());
        if (answer->status >= 500) return miss(explain(options_.admin, request, *answer));
        if (answer->status != 200) return end(explain(options_.admin, request, *answer));
        const std::optional<int> code = show(answer->body);
        if (!away_.empty() && !is_on_screen_) note("the daemon answers again");
        away_.clear();
        return code;
    }

    std::optional<int> show(const std::string& body) {
        has_answered_ = true;
        if (options_.admin.as_json) return print(body);
        try {
            const json list = json::parse(body);
            rates_.look(list, std::chrono::steady_clock::now());
            table_ = status_table(list, &rates_, std::chrono::system_clock::now());
            summary_ = status_summary(list, rates_);
        } catch (const json::exception&) {
            return end(not_a_daemon(options_.admin));
        }
        if (!is_on_screen_) return print(table_);
        return draw(summary_);
    }

    /// There is no answer. At the beginning that is a mistake; later it passes.
    std::optional<int> miss(const std::string& why) {
        if (!has_answered_) return end(why);
        if (away_.empty()) {
            away_ = rfc3339(std::chrono::system_clock::now());
            if (!is_on_screen_) note("no answer, trying again: " + why);
        }
        if (!is_on_screen_) return std::nullopt;
        return draw("NO ANSWER since " + away_ + ": " + why);
    }

    std::optional<int> draw(const std::string& headline) {
        if (!screen_) screen_.emplace();
        const std::string now = rfc3339(std::chrono::system_clock::now());
        const std::string every = format_duration(interval_);
        return screen_->show(printable(options_.admin.url) + "   " + now + "   every " + every +
                             '\n' + headline + "\n\n" + table_);
    }

    std::optional<int> end(const std::string& problem) {
        problem_ = problem;
        return failed;
    }

    const Options& options_;
    const Duration interval_;
    const bool is_on_screen_;  // redrawn in its place, that is
    const Interrupt interrupt_;
    bool has_answered_ = false;
    std::optional<Screen> screen_;
    Rates rates_;
    std::string table_;
    std::string summary_;
    std::string away_;     // since when there has been no answer; empty: there is one
    std::string problem_;  // what ends it
};

int run(const Options& options) {
    if (!options.watch) return show_once(options);
    const Result<Duration> interval = parse_duration(options.interval_text);
    if (!interval) return fail("--interval: " + interval.error().message(), wrong_usage);
    if (*interval < std::chrono::milliseconds(100) || *interval > std::chrono::hours(1)) {
        return fail("--interval: expected a duration from 100ms to 1h", wrong_usage);
    }
    Watch watch(options, *interval);
    return watch.run();
}

}  // namespace

void add_status(CLI::App& root, Chosen& chosen) {
    CLI::App* const command = root.add_subcommand(
        "status", "Show the endpoints of a running daemon: what waits, how fast it goes");
    const auto options = std::make_shared<Options>();
    add_admin_options(*command, options->admin);
    CLI::Option* const watch =
        command->add_flag("-w,--watch", options->watch, "Show it again and again, until Ctrl-C");
    command->add_option("--interval", options->interval_text, "How often")
        ->type_name("DURATION")
        ->needs(watch)
        ->capture_default_str();
    command->footer(
        "RATE is what is delivered per second. With --watch: what came in (IN), was delivered\n"
        "(OUT) and failed (FAILING) since the table before. A daemon that goes away meanwhile is\n"
        "waited for.\n\n"
        "Examples:\n"
        "  fanfare status\n"
        "  fanfare status --watch --interval 500ms\n"
        "  fanfare status --json | jq '.endpoints[] | select(.pending > 0) | .name'");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
