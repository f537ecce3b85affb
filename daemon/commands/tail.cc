#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/event_text.h"
#include "commands/interrupt.h"
#include "commands/line_reader.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

/// More than the longest event that a daemon takes by default.
constexpr std::size_t line_bytes_max = std::size_t{16} * 1024 * 1024;

constexpr Duration head_wait_max = std::chrono::seconds(10);
/// Four heartbeats, by default.
constexpr Duration quiet_max = std::chrono::seconds(60);
constexpr Duration retry_wait_first = std::chrono::milliseconds(200);
constexpr Duration retry_wait_max = std::chrono::seconds(5);
constexpr Duration asked_wait_max = std::chrono::seconds(60);

struct Options {
    AdminTarget admin;
    EventFilter filter;
    std::optional<std::uint64_t> count;
    std::string since;
};

/// Up to where the events have been shown; what a stream is resumed from.
struct Cursor {
    std::string instance;
    std::uint64_t seq = 0;
};

std::optional<std::uint64_t> number(const json& frame, const char* name) {
    const auto found = frame.find(name);
    if (found == frame.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
}

std::string text(const json& frame, const char* name) {
    const auto found = frame.find(name);
    return found != frame.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string describe_gap(const json& gap) {
    if (text(gap, "reason") == "restart") {
        return "the daemon has started anew: events from before that may be missing here";
    }
    const std::optional<std::uint64_t> missed = number(gap, "missed");
    return (missed ? counted(*missed, "event") : std::string("events")) + " missing here (" +
           shown(gap, "from") + " to " + shown(gap, "to") + "): no longer in the history";
}

Duration retry_after(const SimpleResponse& response) {
    std::uint32_t wait_s = 0;
    for (const auto& [name, value] : response.headers) {
        std::from_chars(value.data(), value.data() + value.size(), wait_s);
    }
    return std::min<Duration>(std::chrono::seconds(wait_s), asked_wait_max);
}

/// Follows the events of one daemon over lost connections and restarts.
class Tail {
  public:
    explicit Tail(const Options& options) : options_(options) {}

    int run() {
        for (;;) {
            follow();
            if (exit_code_) return *exit_code_;
            if (interrupt_.wait(std::max(retry_wait_, wait_asked_))) return ok;
            retry_wait_ = std::min(retry_wait_ * 2, retry_wait_max);
            wait_asked_ = Duration::zero();
        }
    }

  private:
    /// One connection, from its beginning to its end.
    void follow() {
        is_greeted_ = false;
        is_closed_ = false;
        lines_.clear();
        BodyReader reader;
        reader.quiet_max = quiet_max;
        heard_at_ = std::chrono::steady_clock::now();
        reader.take = [this](std::string_view bytes) { return take(bytes); };
        const Result<SimpleResponse> answer = stream_admin(options_.admin, request(), reader);
        if (exit_code_) return;
        if (interrupt_.is_raised()) {
            exit_code_ = ok;
        } else if (is_closed_) {
            return;
        } else if (!answer) {
            lose(answer.error().message());
        } else if (answer->status < 200 || answer->status > 299) {
            refused(*answer);
        } else if (!is_greeted_) {
            refuse_garbage();
        }
    }

    AdminRequest request() const {
        AdminRequest request;
        request.path = "/v1/events/stream";
        request.query = {{"format", "ndjson"}, {"name", "fanfare-tail"}};
        append_filter(options_.filter, request.query);
        if (cursor_) {
            request.query.emplace_back("since",
                                       cursor_->instance + ':' + std::to_string(cursor_->seq));
        } else if (!options_.since.empty()) {
            request.query.emplace_back("since", options_.since);
        } else if (options_.count) {
            request.query.emplace_back("count", std::to_string(*options_.count));
        }
        request.timeout = head_wait_max;
        request.stop_descriptor = interrupt_.descriptor();
        return request;
    }

    /// The connection is gone, or there was none: told once until there is one again.
    void lose(const std::string& why) {
        if (!cursor_) {
            exit_code_ = fail(why);
            return;
        }
        // A daemon without a heartbeat is quiet whenever nothing happens: no news if it answers.
        const bool is_quiet = std::chrono::steady_clock::now() - heard_at_ >= quiet_max;
        if (is_quiet && is_greeted_) return;
        if (!is_away_) note("connection lost, trying again: " + why);
        is_away_ = true;
    }

    void refused(const SimpleResponse& answer) {
        const bool may_change = answer.status == 408 || answer.status == 429 ||
                                (answer.status >= 500 && answer.status != 501);
        const std::string why = explain(options_.admin, request(), answer);
        if (!may_change) {
            exit_code_ = fail(why);
            return;
        }
        wait_asked_ = retry_after(answer);
        lose(why);
    }

    void refuse_garbage() {
        exit_code_ = fail(printable(options_.admin.url) + " does not answer like a fanfare daemon");
    }

    bool take(std::string_view bytes) {
        heard_at_ = std::chrono::steady_clock::now();
        const LineReader::State state =
            lines_.feed(bytes, [this](std::string_view line) { return take_line(line); });
        if (state == LineReader::State::too_long) {
            exit_code_ = fail("the daemon sends a line that is longer than 16 MiB");
        }
        if (!output_.empty()) {
            const std::optional<int> code = print(output_);
            output_.clear();
            if (code && !exit_code_) exit_code_ = code;
        }
        return !exit_code_;
    }

    /// False: nothing more is wanted.
    bool take_line(std::string_view line) {
        const json frame = json::parse(line, nullptr, false);
        const std::string type = frame.is_object() ? text(frame, "type") : "";
        if (type.empty() || (!is_greeted_ && type != "hello")) {
            refuse_garbage();
            return false;
        }
        if (options_.admin.as_json) output_.append(line) += '\n';
        if (type == "hello") {
            greet(frame);
        } else if (type == "event") {
            if (!options_.admin.as_json) output_ += event_line(frame);
            advance(number(frame, "seq"));
        } else if (type == "gap") {
            note(describe_gap(frame));
            advance(number(frame, "to"));
        } else if (type == "ping") {
            const std::optional<std::uint64_t> next = number(frame, "next");
            if (next && *next > 0) advance(*next - 1);
        } else if (type == "close") {
            closed(text(frame, "reason"));
        }
        return !exit_code_;
    }

    void greet(const json& hello) {
        const std::string instance = text(hello, "instance");
        const std::uint64_t start = number(hello, "start").value_or(0);
        if (instance.empty() || start == 0) return refuse_garbage();
        is_greeted_ = true;
        retry_wait_ = retry_wait_first;
        if (is_away_) note("connected again");
        is_away_ = false;
        // A gap and the events before the connection is lost again move it on.
        if (!cursor_ || cursor_->instance != instance) cursor_ = Cursor{instance, start - 1};
    }

    void advance(std::optional<std::uint64_t> seq) {
        if (seq && cursor_) cursor_->seq = *seq;
    }

    /// The daemon has said why it ends the stream.
    void closed(const std::string& reason) {
        is_closed_ = true;
        if (reason == "kicked" || reason == "history_disabled") {
            exit_code_ = fail("the daemon has ended the stream: " + reason);
        } else if (reason == "slow_consumer") {
            note("the daemon has ended the stream, as too little was read; going on behind it");
        } else if (reason == "shutdown") {
            note("the daemon is shutting down; waiting for it to come back");
            is_away_ = true;
        }
    }

    const Options& options_;
    const Interrupt interrupt_;
    LineReader lines_{line_bytes_max};
    std::string output_;
    std::optional<Cursor> cursor_;
    std::chrono::steady_clock::time_point heard_at_;
    bool is_greeted_ = false;  // on this connection
    bool is_closed_ = false;   // by the daemon, which has said so
    bool is_away_ = false;     // and the user knows
    Duration retry_wait_ = retry_wait_first;
    Duration wait_asked_ = Duration::zero();
    std::optional<int> exit_code_;
};

}  // namespace

void add_tail(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("tail", "Follow the events that a running daemon takes");
    const auto options = std::make_shared<Options>();
    add_event_filter(*command, options->filter);
    CLI::Option* const count =
        command->add_option("-n,--count", options->count, "Begin with the last so many")
            ->type_name("N")
            ->check(whole_number(0));
    command
        ->add_option("--since", options->since,
                     "Begin behind this event: its seq, or a cursor INSTANCE:SEQ")
        ->type_name("CURSOR")
        ->excludes(count);
    add_admin_options(*command, options->admin);
    command->footer(
        "A line per event: time, seq, action, target, id; with --json the daemon's frames as they\n"
        "are. It goes on where it was after a lost connection or a restart of the daemon, and\n"
        "tells on stderr what may be missing. Ends on Ctrl-C, or when nobody reads it any more.\n\n"
        "Examples:\n"
        "  fanfare tail --count 20\n"
        "  fanfare tail --action push,@stop --target library/nginx\n"
        "  fanfare tail --source meta\n"
        "  fanfare tail --json | jq 'select(.type == \"event\") | .event'");
    command->callback([&chosen, options] {
        chosen = [options] {
            Tail tail(*options);
            return tail.run();
        };
    });
}

}  // namespace fanfare::command
