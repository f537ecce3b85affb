#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

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

/// The records of an answer, each as it stands there: numbers keep all their digits. `prefix` and
/// `suffix` are what stands around them.
struct Page {
    std::string prefix;
    std::vector<std::string> records;
    std::string suffix;
};

/// How long the JSON value at the beginning of `text` is, which is known to be whole.
std::size_t length_of_object(std::string_view text) {
    std::size_t depth = 0;
    bool is_in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && is_in_string) {
            ++i;
        } else if (c == '"') {
            is_in_string = !is_in_string;
        } else if (!is_in_string && (c == '{' || c == '[')) {
            ++depth;
        } else if (!is_in_string && (c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return text.size();
}

/// From an answer that is JSON. The fields before the list cannot hold its name, as quotes are
/// escaped in a text.
Page cut(const std::string& body) {
    constexpr std::string_view name = "\"events\":[";
    Page page;
    std::size_t place = body.find(name);
    if (place == std::string::npos) return page;
    place += name.size();
    page.prefix = body.substr(0, place);
    while (place < body.size() && body[place] == '{') {
        const std::string_view rest = std::string_view(body).substr(place);
        const std::size_t length = length_of_object(rest);
        page.records.emplace_back(rest.substr(0, length));
        place += length;
        if (place < body.size() && body[place] == ',') ++place;
    }
    page.suffix = body.substr(std::min(place, body.size()));
    return page;
}

/// The newest events that match, page by page: what one answer holds is bounded, and which of the
/// newest ones match is known only once they have been looked at.
class Newest {
  public:
    explicit Newest(const Options& options) : options_(options) {}

    Result<void> read() {
        std::optional<std::uint64_t> start;
        std::optional<std::uint64_t> end;
        for (;;) {
            const Result<std::string> body = ask(start);
            if (!body) return body.error();
            const Result<json> page = parse_answer(options_.admin, *body);
            if (!page) return page.error();
            std::uint64_t next_start = 0;
            try {
                if (!end) end = page->at("next").get<std::uint64_t>();
                const bool is_too_much = !start && wants_last() && page->at("clamped").get<bool>();
                if (is_too_much) {  // for one answer
                    start = page->at("lowest").get<std::uint64_t>();
                    continue;
                }
                next_start = page->at("next_start").get<std::uint64_t>();
            } catch (const json::exception&) {
                return parse_answer(options_.admin, "").error();
            }
            take(cut(*body));
            const bool is_further = !start || next_start > *start;
            if (next_start >= *end || !is_further) return {};
            start = next_start;
        }
    }

    const std::deque<std::string>& records() const noexcept { return records_; }

    /// What was answered, all pages as one.
    std::string as_json() const {
        std::string text = prefix_;
        for (const std::string& record : records_) {
            if (&record != &records_.front()) text += ',';
            text += record;
        }
        return text + suffix_;
    }

  private:
    /// Whether one answer may do. Of the last events a filter would leave fewer than are wanted.
    bool wants_last() const { return options_.limit > 0 && !has_filter(options_.filter); }

    Result<std::string> ask(std::optional<std::uint64_t> start) const {
        AdminRequest request{.path = events_path};
        append_filter(options_.filter, request.query);
        if (!start && wants_last()) {
            request.query.emplace_back("tail", std::to_string(options_.limit));
        } else {
            request.query.emplace_back("count", std::to_string(page_events));
        }
        if (start) request.query.emplace_back("start", std::to_string(*start));
        return call_admin(options_.admin, request);
    }

    void take(Page page) {
        prefix_ = std::move(page.prefix);
        suffix_ = std::move(page.suffix);
        for (std::string& record : page.records) records_.push_back(std::move(record));
        while (options_.limit > 0 && records_.size() > options_.limit) records_.pop_front();
    }

    const Options& options_;
    std::string prefix_;
    std::string suffix_;
    std::deque<std::string> records_;
};

int run_list(const Options& options) {
    Newest newest(options);
    const Result<void> done = newest.read();
    if (!done) return fail(done.error().message());
    if (options.admin.as_json) return print(newest.as_json()).value_or(ok);
    std::vector<Row> rows{{"SEQ", "RECEIVED", "SOURCE", "ACTION", "TARGET", "ID"}};
    for (const std::string& record : newest.records()) {
        const EventText text = event_text(json::parse(record, nullptr, false));
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

/// What stands for an event that was too large: `{"truncated":true,"size":…,"id":…,"action":…}`.
bool is_stub(const json& event) {
    return event.is_object() && event.size() <= 4 && event.contains("size") &&
           event.value("truncated", json()) == json(true);
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
    if (options.event_only && is_stub(record->value("event", json()))) {
        return fail("the event was too large for the history, which holds only a stub of it");
    }
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
