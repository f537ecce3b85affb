#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/event_text.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

constexpr const char* events_path = "/v1/events";

/// What one request asks for: an answer of a size that is soon read.
constexpr std::uint64_t page_events = 1000;

struct Options {
    AdminTarget admin;
    EventFilter filter;
    std::optional<std::uint64_t> seq;
    std::uint64_t limit = 100;
    bool event_only = false;
};

bool has_filter(const EventFilter& filter) {
    return !filter.action.empty() || !filter.source.empty() || !filter.target.empty();
}

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

/// The newest events that match, page by page: what one answer holds is bounded, and which of the
/// newest ones match is known only once they have been looked at.
class Newest {
  public:
    explicit Newest(const Options& options) : options_(options) {}

    /// What was answered, all pages as one.
    Result<json> read() {
        std::string start;
        std::uint64_t end = 0;
        do {
            const Result<json> page = ask(start);
            if (!page) return page.error();
            try {
                if (start.empty()) end = page->at("next").get<std::uint64_t>();
                start = take(*page) < end ? next_ : "";
            } catch (const json::exception&) {
                return parse_answer(options_.admin, "");
            }
        } while (!start.empty());
        result_["events"] = std::move(events_);
        return Result<json>(boost::system::in_place_value, std::move(result_));
    }

  private:
    Result<json> ask(const std::string& start) const {
        AdminRequest request{.path = events_path};
        append_filter(options_.filter, request.query);
        const bool is_tail = start.empty() && options_.limit > 0 && !has_filter(options_.filter);
        if (is_tail) {
            request.query.emplace_back("tail", std::to_string(options_.limit));
        } else {
            request.query.emplace_back("count", std::to_string(page_events));
        }
        if (!start.empty()) request.query.emplace_back("start", start);
        const Result<std::string> body = call_admin(options_.admin, request);
        if (!body) return body.error();
        return parse_answer(options_.admin, *body);
    }

    /// Where to go on. Each page gets further, or there is nothing to be had any more.
    std::uint64_t take(const json& page) {
        const auto next = page.at("next_start").get<std::uint64_t>();
        const bool is_further = next_.empty() || next > std::stoull(next_);
        next_ = std::to_string(next);
        for (const json& record : page.at("events")) events_.push_back(record);
        if (options_.limit > 0 && events_.size() > options_.limit) {
            const auto surplus =
                static_cast<json::difference_type>(events_.size() - options_.limit);
            events_.erase(events_.begin(), events_.begin() + surplus);
        }
        result_ = page;
        return is_further ? next : std::numeric_limits<std::uint64_t>::max();
    }

    const Options& options_;
    json events_ = json::array();
    json result_;
    std::string next_;
};

int run_list(const Options& options) {
    const Result<json> list = Newest(options).read();
    if (!list) return fail(list.error().message());
    if (options.admin.as_json) return print(dump(*list)).value_or(ok);
    std::vector<Row> rows{{"SEQ", "RECEIVED", "SOURCE", "ACTION", "TARGET", "ID"}};
    for (const json& record : list->at("events")) {
        const EventText text = event_text(record);
        rows.push_back({text.seq, text.received, text.source, text.action, text.target, text.id});
    }
    return print(table(rows)).value_or(ok);
}

/// The event as it stands in the answer, with all digits of its numbers. The fields before it
/// cannot hold its name, as quotes are escaped in a text; nor can those behind it hold theirs.
std::string event_in(const std::string& body) {
    constexpr std::string_view name = "\"event\":";
    const std::size_t begin = body.find(name);
    const std::size_t end = body.rfind(",\"endpoints\":");
    if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
    return body.substr(begin + name.size(), end - begin - name.size());
}

std::string answer_of(const json& attempt) {
    const std::string status = shown(attempt, "status");
    return status == "-" ? shown(attempt, "error") : status;
}

std::string took(const json& attempt) {
    const double seconds = attempt.value("duration_seconds", 0.0);
    return std::to_string(static_cast<long>(seconds * 1000)) + " ms";
}

std::string fates(const json& endpoints) {
    std::vector<Row> rows{{"ENDPOINT", "STATE", "REASON"}};
    std::vector<Row> attempts{{"AT", "ENDPOINT", "ATTEMPT", "TOOK", "ANSWER"}};
    for (const json& endpoint : endpoints) {
        const std::string name = shown(endpoint, "name");
        rows.push_back({name, shown(endpoint, "state"), shown(endpoint, "reason")});
        for (const json& attempt : endpoint.value("attempts", json::array())) {
            attempts.push_back({shown(attempt, "at"), name, shown(attempt, "attempt"),
                                took(attempt), answer_of(attempt)});
        }
    }
    std::string text = endpoints.empty() ? "no endpoints\n" : table(rows);
    if (attempts.size() > 1) text += '\n' + table(attempts);
    return text;
}

std::string render(const json& record, const std::string& event) {
    const EventText text = event_text(record);
    const std::vector<Row> facts{{"seq", text.seq},       {"received", text.received},
                                 {"source", text.source}, {"action", text.action},
                                 {"target", text.target}, {"id", text.id}};
    return table(facts) + '\n' + fates(record.at("endpoints")) + '\n' + printable(event) + '\n';
}

int run_show(const Options& options) {
    AdminRequest request;
    request.path = std::string(events_path) + '/' + std::to_string(*options.seq);
    const Result<std::string> body = call_admin(options.admin, request);
    if (!body) return fail(body.error().message());
    if (options.admin.as_json) return print(*body).value_or(ok);
    const Result<json> record = parse_answer(options.admin, *body);
    if (!record) return fail(record.error().message());
    const std::string event = event_in(*body);
    if (options.event_only) return print(event + '\n').value_or(ok);
    try {
        return print(render(*record, event)).value_or(ok);
    } catch (const json::exception&) {
        return fail(parse_answer(options.admin, "").error().message());
    }
}

}  // namespace

void add_events(CLI::App& root, Chosen& chosen) {
    CLI::App* const command = root.add_subcommand(
        "events", "List the newest events, or show one and what has become of it");
    const auto options = std::make_shared<Options>();
    CLI::Option* const seq =
        command
            ->add_option("SEQ", options->seq,
                         "Show this event, with its fate at every endpoint and its last attempts")
            ->check(whole_number(1));
    add_event_filter(*command, options->filter);
    command->add_option("--limit", options->limit, "How many to list; 0: all that there are")
        ->type_name("N")
        ->check(whole_number(0))
        ->capture_default_str();
    command->add_flag("--event", options->event_only, "Of one event: only itself, as JSON")
        ->needs(seq);
    add_admin_options(*command, options->admin);
    command->footer(
        "They are those of the daemon's history, the newest last.\n\n"
        "Examples:\n"
        "  fanfare events --limit 20\n"
        "  fanfare events --action @write --target library/nginx\n"
        "  fanfare events 42\n"
        "  fanfare events 42 --event | fanfare send -");
    command->callback([&chosen, options] {
        chosen = [options] { return options->seq ? run_show(*options) : run_list(*options); };
    });
}

}  // namespace fanfare::command
