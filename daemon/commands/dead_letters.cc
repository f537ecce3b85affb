#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

constexpr const char* list_path = "/v1/dead-letters";

/// What one request asks for, so that each is answered soon and there is progress to show.
constexpr std::uint64_t list_page = 1000;
constexpr std::uint64_t replay_page = 1000;

/// Which letters are meant.
struct Selection {
    std::vector<std::uint64_t> ids;
    std::string endpoint;
    std::string reason;
    std::string since;
    bool is_all = false;

    bool is_empty() const { return ids.empty() && !has_filter(); }
    bool has_filter() const { return !endpoint.empty() || !reason.empty() || !since.empty(); }
};

struct Options {
    AdminTarget admin;
    Selection selection;
    std::uint64_t limit = 100;
    bool payload_only = false;
};

using Query = std::vector<std::pair<std::string, std::string>>;
using nlohmann::json;

Query query_of(const Selection& selection) {
    Query query;
    const auto add = [&query](const char* name, const std::string& value) {
        if (!value.empty()) query.emplace_back(name, value);
    };
    add("endpoint", selection.endpoint);
    add("reason", selection.reason);
    add("since", selection.since);
    return query;
}

Result<json> ask(const AdminTarget& target, const AdminRequest& request) {
    const Result<std::string> body = call_admin(target, request);
    if (!body) return body.error();
    return parse_answer(target, *body);
}

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string last_answer(const json& letter) {
    const std::string status = shown(letter, "last_status");
    return status == "-" ? shown(letter, "last_error") : status;
}

std::string render(const json& letters) {
    std::vector<Row> rows{
        {"ID", "ENDPOINT", "ATTEMPTS", "BYTES", "LAST", "REASON", "GIVEN-UP", "EVENT-ID"}};
    for (const json& letter : letters) {
        rows.push_back({shown(letter, "id"), shown(letter, "endpoint"), shown(letter, "attempts"),
                        shown(letter, "payload_bytes"), last_answer(letter),
                        shown(letter, "reason"), shown(letter, "given_up_at"),
                        shown(letter, "event_id")});
    }
    return table(rows);
}

/// Page by page, up to the limit; 0: all.
Result<json> list_all(const Options& options) {
    json result = {{"dead_letters", json::array()}, {"next", nullptr}};
    json& letters = result["dead_letters"];
    std::string next;
    do {
        const std::uint64_t left = options.limit == 0 ? list_page : options.limit - letters.size();
        AdminRequest request{.path = list_path, .query = query_of(options.selection)};
        request.query.emplace_back("limit", std::to_string(std::min(left, list_page)));
        if (!next.empty()) request.query.emplace_back("next", next);
        const Result<json> page = ask(options.admin, request);
        if (!page) return page.error();
        for (const json& letter : page->value("dead_letters", json::array())) {
            letters.push_back(letter);
        }
        const json more = page->value("next", json());
        next = more.is_string() ? more.get<std::string>() : "";
        result["next"] = more;
    } while (!next.empty() && (options.limit == 0 || letters.size() < options.limit));
    return Result<json>(boost::system::in_place_value, std::move(result));
}

int run_list(const Options& options) {
    const Result<json> list = list_all(options);
    if (!list) return fail(list.error().message());
    if (options.admin.as_json) return print(dump(*list)).value_or(ok);
    if (const auto code = print(render(list->at("dead_letters")))) return *code;
    if (!list->at("next").is_null()) {
        std::fprintf(stderr, "fanfare: there are more; --limit 0 shows all\n");
    }
    return ok;
}

/// The payload as it was received. It is the last field, and its name cannot stand in a text
/// before it, as quotes are escaped there.
std::string payload_in(const std::string& body) {
    constexpr std::string_view field = "\"payload\":";
    const std::size_t begin = body.find(field);
    const std::size_t end = body.rfind('}');
    if (begin == std::string::npos || end == std::string::npos) return {};
    return body.substr(begin + field.size(), end - begin - field.size());
}

int run_show(const Options& options) {
    AdminRequest request;
    request.path = std::string(list_path) + '/' + std::to_string(options.selection.ids.front());
    const Result<std::string> body = call_admin(options.admin, request);
    if (!body) return fail(body.error().message());
    if (options.admin.as_json) return print(*body).value_or(ok);
    if (options.payload_only) return print(payload_in(*body) + '\n').value_or(ok);
    const Result<json> letter = parse_answer(options.admin, *body);
    if (!letter) return fail(letter.error().message());
    std::vector<Row> rows;
    for (const char* const field :
         {"id", "endpoint", "event_id", "seq", "action", "media_type", "traceparent", "reason",
          "last_status", "last_error", "attempts", "accepted_at", "given_up_at"}) {
        rows.push_back({field, shown(*letter, field)});
    }
    return print(table(rows) + '\n' + printable(payload_in(*body)) + '\n').value_or(ok);
}

/// What all requests of a replay have done together.
struct Tally {
    std::uint64_t replayed = 0;
    std::uint64_t not_replayed = 0;
    bool is_out_of_room = false;

    void add(const json& answer) {
        replayed += answer.value("replayed", std::uint64_t{0});
        not_replayed += answer.value("not_replayed", std::uint64_t{0});
        is_out_of_room = answer.contains("stopped") && answer["stopped"] == "budget";
    }
};

void show_progress(const Tally& tally, bool is_last) {
    if (isatty(STDERR_FILENO) == 0) return;
    std::fprintf(stderr, is_last ? "\r\x1b[K" : "\r%llu replayed …",
                 static_cast<unsigned long long>(tally.replayed));
}

Result<void> replay_pages(const Options& options, const Query& query, Tally& tally) {
    std::string next;
    do {
        AdminRequest request{
            .method = "POST", .path = std::string(list_path) + "/replay", .query = query};
        request.query.emplace_back("limit", std::to_string(replay_page));
        if (!next.empty()) request.query.emplace_back("next", next);
        const Result<json> answer = ask(options.admin, request);
        if (!answer) return answer.error();
        tally.add(*answer);
        show_progress(tally, false);
        const json more = answer->value("next", json());
        next = more.is_string() ? more.get<std::string>() : "";
    } while (!next.empty() && !tally.is_out_of_room);
    return {};
}

Result<void> replay_selected(const Options& options, Tally& tally) {
    if (options.selection.ids.empty()) {
        return replay_pages(options, query_of(options.selection), tally);
    }
    for (const std::uint64_t id : options.selection.ids) {
        Result<void> done = replay_pages(options, {{"id", std::to_string(id)}}, tally);
        if (!done || tally.is_out_of_room) return done;
    }
    return {};
}

std::string summary(const Tally& tally, bool as_json) {
    if (!as_json) return "replayed " + counted(tally.replayed, "event") + '\n';
    json result;
    result["replayed"] = tally.replayed;
    result["not_replayed"] = tally.not_replayed;
    result["stopped"] = tally.is_out_of_room ? json("budget") : json();
    return dump(result);
}

int run_replay(const Options& options) {
    Tally tally;
    const Result<void> done = replay_selected(options, tally);
    show_progress(tally, true);
    // What was queued before something went wrong is queued all the same.
    const bool has_worked = done || tally.replayed > 0;
    std::optional<int> code;
    if (has_worked) code = print(summary(tally, options.admin.as_json));
    if (!done) return fail(done.error().message());
    if (tally.is_out_of_room) {
        return fail(
            "stopped, as the daemon's memory for events is nearly used up; once some are "
            "delivered the rest can be replayed");
    }
    if (tally.not_replayed > 0) {
        return fail(counted(tally.not_replayed, "event") +
                    " not replayed, as the endpoint is not there; the dead letters stay");
    }
    return code.value_or(ok);
}

int run_purge(const Options& options) {
    std::vector<AdminRequest> requests;
    for (const std::uint64_t id : options.selection.ids) {
        requests.push_back(
            {.method = "DELETE", .path = std::string(list_path) + '/' + std::to_string(id)});
    }
    if (requests.empty()) {
        requests.push_back(
            {.method = "DELETE", .path = list_path, .query = query_of(options.selection)});
    }
    std::uint64_t purged = 0;
    std::string problem;
    for (const AdminRequest& request : requests) {
        const Result<json> answer = ask(options.admin, request);
        if (!answer) {
            problem = answer.error().message();
            break;
        }
        purged += answer->value("purged", std::uint64_t{0});
    }
    const std::string text = options.admin.as_json
                                 ? dump({{"purged", purged}})
                                 : "purged " + counted(purged, "dead letter") + '\n';
    std::optional<int> code;
    if (problem.empty() || purged > 0) code = print(text);
    return problem.empty() ? code.value_or(ok) : fail(problem);
}

void add_filters(CLI::App& command, Selection& selection) {
    command.add_option("--endpoint", selection.endpoint, "Only those of this endpoint")
        ->type_name("NAME");
    command
        .add_option("--reason", selection.reason,
                    "Only those given up for this reason: permanent, max_attempts, max_age, "
                    "gone, overflow, exception, corrupt")
        ->type_name("REASON");
    command
        .add_option("--since", selection.since,
                    "Only those given up since then: a time as 2026-01-02T03:04:05Z, or a "
                    "duration as 1h, counted from now")
        ->type_name("WHEN");
}

/// For commands that change something: it must be said what is meant, and said once.
void add_selection(CLI::App& command, Selection& selection) {
    command.add_option("ID", selection.ids, "Ids, as `dead-letters ls` shows them")
        ->check(whole_number(1));
    add_filters(command, selection);
    command.add_flag("--all", selection.is_all, "All that there are");
    command.parse_complete_callback([&selection] {
        const int ways = (selection.ids.empty() ? 0 : 1) + (selection.has_filter() ? 1 : 0) +
                         (selection.is_all ? 1 : 0);
        if (ways == 1) return;
        throw CLI::ValidationError(
            "which dead letters is not clear: name ids, or filter by "
            "--endpoint, --reason and --since, or say --all");
    });
}

using Run = int (*)(const Options&);

/// A command that does `run` with options of its own.
struct Added {
    CLI::App* command;
    std::shared_ptr<Options> options;
};

Added add_command(CLI::App& parent, Chosen& chosen, std::pair<const char*, const char*> texts,
                  Run run) {
    Added added{parent.add_subcommand(texts.first, texts.second), std::make_shared<Options>()};
    add_admin_options(*added.command, added.options->admin);
    added.command->callback([&chosen, run, options = added.options] {
        chosen = [run, options] { return run(*options); };
    });
    return added;
}

void add_replay(CLI::App& parent, Chosen& chosen, const std::string& name) {
    const Added replay = add_command(
        parent, chosen, {"replay", "Queue dead letters again for their endpoints"}, run_replay);
    add_selection(*replay.command, replay.options->selection);
    replay.command->footer(
        "They go to the end of the queue, with the ids that they had, and stay dead letters until\n"
        "they are delivered. Exits 1 if some were not queued.\n\n"
        "Examples:\n"
        "  " +
        name +
        " 17 18\n"
        "  " +
        name +
        " --endpoint audit --since 24h\n"
        "  " +
        name + " --all");
}

void add_list(CLI::App& group, Chosen& chosen) {
    const Added list =
        add_command(group, chosen, {"ls", "List dead letters, oldest first"}, run_list);
    add_filters(*list.command, list.options->selection);
    list.command->add_option("--limit", list.options->limit, "How many to show; 0: all")
        ->check(whole_number(0))
        ->capture_default_str();
    list.command->footer(
        "Examples:\n"
        "  fanfare dead-letters ls --endpoint audit\n"
        "  fanfare dead-letters ls --since 1h --json");
}

void add_show(CLI::App& group, Chosen& chosen) {
    const Added show =
        add_command(group, chosen, {"show", "Show one dead letter and its payload"}, run_show);
    show.command->add_option("ID", show.options->selection.ids, "Its id")
        ->required()
        ->expected(1)
        ->check(whole_number(1));
    show.command->add_flag("--payload", show.options->payload_only,
                           "Only the payload, exactly as it was received");
    show.command->footer(
        "Examples:\n"
        "  fanfare dead-letters show 17\n"
        "  fanfare dead-letters show 17 --payload | fanfare send -");
}

void add_purge(CLI::App& group, Chosen& chosen) {
    const Added purge =
        add_command(group, chosen, {"purge", "Delete dead letters for good"}, run_purge);
    add_selection(*purge.command, purge.options->selection);
    purge.command->footer(
        "Examples:\n"
        "  fanfare dead-letters purge 17\n"
        "  fanfare dead-letters purge --endpoint old-receiver\n"
        "  fanfare dead-letters purge --all");
}

}  // namespace

void add_dead_letters(CLI::App& root, Chosen& chosen) {
    CLI::App* const group =
        root.add_subcommand("dead-letters", "List, show, replay and delete what was given up");
    group->require_subcommand(1);
    group->footer(
        "The daemon keeps what it gives up if dead_letters.dir is configured, or with the queue\n"
        "on disk or on NATS.\n\n"
        "Example: fanfare dead-letters ls");
    add_list(*group, chosen);
    add_show(*group, chosen);
    add_replay(*group, chosen, "fanfare dead-letters replay");
    add_purge(*group, chosen);
}

void add_replay(CLI::App& root, Chosen& chosen) { add_replay(root, chosen, "fanfare replay"); }

}  // namespace fanfare::command
