// What is asked of a store now and then: endpoints that come and go, figures, an inspection.
#include <filesystem>
#include <limits>
#include <system_error>

#include "store/sqlite_store.h"
#include "store/sqlite_time.h"
#include "store/store_schema.h"

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t problems_max = 100;

void tell(std::vector<std::string>& problems, std::string problem) {
    if (problems.size() < problems_max) problems.push_back(std::move(problem));
}

/// Nothing if there are none.
void tell_of(std::vector<std::string>& problems, const SeqRanges& seqs, const std::string& what) {
    if (seqs.is_empty()) return;
    tell(problems, std::to_string(seqs.count()) + ' ' + what + ", the first is seq " +
                       std::to_string(seqs.first()));
}

}  // namespace

EndpointId SqliteStore::open_endpoint(std::string_view name) {
    EndpointId id = 0;
    write([&] {
        Statement find(database_, "SELECT id FROM endpoint WHERE name = ?");
        find.bind(name);
        if (find.next_row()) id = find.number(0);
        find.reset();
        Statement change(database_, id == 0
                                        ? "INSERT INTO endpoint (name, bytes) VALUES (?, 0)"
                                        : "UPDATE endpoint SET removed_at = NULL WHERE name = ?");
        change.bind(name).run();
        if (id == 0) id = database_.number("SELECT last_insert_rowid()");
    });
    Endpoint& endpoint = endpoints_[id];
    endpoint.name = name;
    endpoint.removed_at.reset();
    return id;
}

void SqliteStore::remove_endpoint(EndpointId endpoint, WallTime at) {
    const auto found = endpoints_.find(endpoint);
    if (found == endpoints_.end()) return;
    write([&] {
        Statement change(database_, "UPDATE endpoint SET removed_at = ? WHERE id = ?");
        change.bind(number_of(at)).bind(endpoint).run();
    });
    endpoints_[endpoint].removed_at = at;
}

void SqliteStore::forget_endpoint(EndpointId endpoint) {
    purge(endpoint, std::numeric_limits<std::int64_t>::max());
    write([&] {
        Statement change(database_, "DELETE FROM endpoint WHERE id = ?");
        change.bind(endpoint).run();
    });
    endpoints_.erase(endpoint);
}

Backlog SqliteStore::purge(EndpointId endpoint, std::uint64_t until) {
    require_usable();
    Backlog dropped;
    const auto found = endpoints_.find(endpoint);
    if (found == endpoints_.end() || until == 0) return dropped;
    write([&] {
        dropped = drop(endpoint, found->second, {1, until});
        erase_garbage(std::numeric_limits<std::uint16_t>::max());
    });
    return dropped;
}

std::vector<StoredEndpoint> SqliteStore::endpoints() {
    require_usable();
    std::vector<StoredEndpoint> result;
    try {
        for (const auto& [id, endpoint] : endpoints_) {
            const SeqRanges& pending = pending_.of(id);
            StoredEndpoint entry;
            entry.id = id;
            entry.name = endpoint.name;
            entry.pending = {pending.count(), endpoint.bytes};
            if (!pending.is_empty()) entry.oldest_at = events_.accepted_at(pending.first());
            entry.removed_at = endpoint.removed_at;
            result.push_back(std::move(entry));
        }
    } catch (const SqliteError& error) {
        fail(error);
    }
    return result;
}

StoreStats SqliteStore::stats() {
    require_usable();
    StoreStats stats;
    try {
        const auto pages = static_cast<std::uint64_t>(database_.number("PRAGMA page_count"));
        const auto free = static_cast<std::uint64_t>(database_.number("PRAGMA freelist_count"));
        stats.file_bytes = pages * store_page_bytes;
        stats.free_bytes = free * store_page_bytes;
    } catch (const SqliteError& error) {
        fail(error);
    }
    std::error_code no_log;
    const std::uintmax_t wal_bytes = fs::file_size(file_ + "-wal", no_log);
    stats.wal_bytes = no_log ? 0 : wal_bytes;
    stats.events = pending_.of(PendingTable::stored).count();
    stats.bytes_max = options_.bytes_max;
    stats.damaged_events = events_.damaged_events();
    stats.moved_aside = moved_aside_;
    return stats;
}

std::vector<std::string> SqliteStore::check() {
    require_usable();
    std::vector<std::string> problems;
    try {
        Statement check(database_, "PRAGMA integrity_check(100)");
        while (check.next_row()) {
            if (check.text(0) != "ok") tell(problems, std::string(check.text(0)));
        }
    } catch (const SqliteError& error) {
        tell(problems, error.what());
    }
    const SeqRanges rows = check_rows(problems);
    check_pending(rows, problems);
    return problems;
}

/// Returns the seqs of all rows that can be read.
SeqRanges SqliteStore::check_rows(std::vector<std::string>& problems) {
    SeqRanges intact;
    SeqRanges damaged;
    try {
        events_.check([&damaged](std::uint64_t seq) { damaged.add(seq); }, intact);
    } catch (const SqliteError& error) {
        tell(problems, std::string("the events cannot be read to their end: ") + error.what());
    }
    tell_of(problems, damaged, "events are damaged");
    intact.add(damaged);
    return intact;
}

void SqliteStore::check_pending(const SeqRanges& rows, std::vector<std::string>& problems) {
    const SeqRanges& stored = pending_.of(PendingTable::stored);
    tell_of(problems, stored.minus(rows), "events are not there");
    tell_of(problems, rows.minus(stored), "events are there that nobody knows of");
    for (const auto& [id, endpoint] : endpoints_) {
        tell_of(problems, pending_.of(id).minus(stored),
                "events wait for endpoint " + endpoint.name + " that are not stored");
    }
}

}  // namespace fanfare
