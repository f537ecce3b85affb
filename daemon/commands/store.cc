#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "base/units.h"
#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/table.h"
#include "store/sqlite_store.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

struct Options {
    std::string dir = "/var/lib/fanfare";
    std::string endpoint;
    bool as_json = false;
    bool is_sure = false;
};

using StorePtr = std::unique_ptr<SqliteStore>;

Result<StorePtr> open_store(const Options& options) {
    Log log{quiet_log()};
    SqliteStoreOptions store;
    store.dir = options.dir;
    store.recovery = Recovery::strict;
    store.must_exist = true;
    // What is there may be larger than what the configuration allows now.
    store.bytes_max = std::uint64_t{1} << 42;
    return SqliteStore::open(store, log);
}

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

json time_or_null(const std::optional<WallTime>& time) {
    return time ? json(rfc3339(*time)) : json();
}

/// `3m20s`; `-` if nothing waits.
std::string age_of(const StoredEndpoint& endpoint, WallTime now) {
    if (!endpoint.oldest_at) return "-";
    const auto age = std::chrono::floor<std::chrono::seconds>(now - *endpoint.oldest_at);
    return format_duration(std::max(age, std::chrono::seconds(0)));
}

std::string info_as_json(SqliteStore& store, const std::vector<StoredEndpoint>& endpoints) {
    const StoreStats stats = store.stats();
    json result;
    result["id"] = store.id();
    result["events"] = stats.events;
    result["last_seq"] = store.last_seq();
    result["file_bytes"] = stats.file_bytes;
    result["free_bytes"] = stats.free_bytes;
    result["endpoints"] = json::array();
    for (const StoredEndpoint& endpoint : endpoints) {
        json entry;
        entry["name"] = endpoint.name;
        entry["pending_events"] = endpoint.pending.events;
        entry["pending_bytes"] = endpoint.pending.bytes;
        entry["oldest_accepted_at"] = time_or_null(endpoint.oldest_at);
        entry["removed_at"] = time_or_null(endpoint.removed_at);
        result["endpoints"].push_back(std::move(entry));
    }
    return dump(result);
}

std::string info_as_text(SqliteStore& store, const std::vector<StoredEndpoint>& endpoints) {
    const StoreStats stats = store.stats();
    const WallTime now = SteadyClock().wall();
    std::vector<Row> rows{{"ENDPOINT", "STATE", "PENDING", "BYTES", "OLDEST"}};
    for (const StoredEndpoint& endpoint : endpoints) {
        rows.push_back({printable(endpoint.name), endpoint.removed_at ? "removed" : "configured",
                        std::to_string(endpoint.pending.events),
                        std::to_string(endpoint.pending.bytes), age_of(endpoint, now)});
    }
    return "store " + store.id() + ": " + counted(stats.events, "event") + ", last seq " +
           std::to_string(store.last_seq()) + ", " + std::to_string(stats.file_bytes) +
           " bytes on disk, " + std::to_string(stats.free_bytes) + " of them free\n\n" +
           table(rows);
}

int run_info(const Options& options) {
    const Result<StorePtr> store = open_store(options);
    if (!store) return fail(store.error().message());
    const std::vector<StoredEndpoint> endpoints = (*store)->endpoints();
    const std::string text =
        options.as_json ? info_as_json(**store, endpoints) : info_as_text(**store, endpoints);
    return print(text).value_or(ok);
}

int run_check(const Options& options) {
    const Result<StorePtr> store = open_store(options);
    if (!store) return fail(store.error().message());
    const std::vector<std::string> problems = (*store)->check();
    std::string text;
    if (options.as_json) {
        json result;
        result["ok"] = problems.empty();
        result["problems"] = problems;
        text = dump(result);
    } else {
        for (const std::string& problem : problems) text += printable(problem) + '\n';
        if (problems.empty()) {
            text = options.dir + ": ok, " + counted((*store)->stats().events, "event") + '\n';
        }
    }
    if (const auto code = print(text)) return *code;
    return problems.empty() ? ok : failed;
}

int run_purge(const Options& options) {
    const Result<StorePtr> store = open_store(options);
    if (!store) return fail(store.error().message());
    const std::vector<StoredEndpoint> endpoints = (*store)->endpoints();
    const auto found = std::find_if(
        endpoints.begin(), endpoints.end(),
        [&](const StoredEndpoint& endpoint) { return endpoint.name == options.endpoint; });
    if (found == endpoints.end()) return fail("no endpoint " + in_quotes(options.endpoint));
    if (!options.is_sure) {
        return fail("this deletes " + counted(found->pending.events, "event") + " that " +
                        in_quotes(options.endpoint) + " has not received; add --yes to do it",
                    wrong_usage);
    }
    const Backlog purged = (*store)->purge(found->id, std::numeric_limits<std::int64_t>::max());
    while ((*store)->has_garbage()) (*store)->commit({});
    json result;
    result["purged"] = purged.events;
    const std::string text =
        options.as_json ? dump(result) : "purged " + counted(purged.events, "event") + '\n';
    return print(text).value_or(ok);
}

using Run = int (*)(const Options&);

struct Added {
    CLI::App* command;
    std::shared_ptr<Options> options;
};

Added add_command(CLI::App& group, Chosen& chosen, std::pair<const char*, const char*> texts,
                  Run run) {
    Added added{group.add_subcommand(texts.first, texts.second), std::make_shared<Options>()};
    added.command->add_option("--dir", added.options->dir, "The folder of the durable queue")
        ->type_name("DIR")
        ->capture_default_str();
    added.command->add_flag("--json", added.options->as_json, "Print JSON");
    added.command->callback([&chosen, run, options = added.options] {
        chosen = [run, options] { return run(*options); };
    });
    return added;
}

}  // namespace

void add_store(CLI::App& root, Chosen& chosen) {
    CLI::App* const group =
        root.add_subcommand("store", "Look at the durable queue of a daemon that does not run");
    group->require_subcommand(1);
    group->footer(
        "While a daemon uses the folder, ask that one: fanfare status.\n\n"
        "Example: fanfare store info --dir /var/lib/fanfare");
    add_command(*group, chosen, {"info", "What waits for which endpoint"}, run_info)
        .command->footer("Example: fanfare store info --json");
    add_command(*group, chosen, {"check", "Read everything and tell what is damaged"}, run_check)
        .command->footer("Exits 1 if something is.\n\nExample: fanfare store check");
    const Added purge =
        add_command(*group, chosen, {"purge", "Delete what waits for an endpoint"}, run_purge);
    purge.command->add_option("--endpoint", purge.options->endpoint, "Its name")
        ->type_name("NAME")
        ->required();
    purge.command->add_flag("--yes", purge.options->is_sure, "Do it");
    purge.command->footer("Example: fanfare store purge --endpoint old-receiver --yes");
}

}  // namespace fanfare::command
