// What is asked of a store now and then: endpoints that come and go, figures, an inspection.
#include <algorithm>
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
    tell(problems, what + ": " + std::to_string(seqs.count()) + ", the first is seq " +
                       std::to_string(seqs.first()));
}

}  // namespace

std::vector<EndpointId> SqliteStore::open_endpoints(std::span<const std::string> names) {
    require_usable();
    const bool has_all = std::all_of(names.begin(), names.end(), [this](const std::string& name) {
        const auto found = find_endpoint(name);
        return found != endpoints_.end() && !found->second.removed_at;
    });
    if (!has_all) {
        write([&] {
            for (const std::string& name : names) open_endpoint_row(name);
        });
    }
    std::vector<EndpointId> ids;
    for (const std::string& name : names) ids.push_back(find_endpoint(name)->first);
    return ids;
}

void SqliteStore::open_endpoint_row(const std::string& name) {
    const auto found = find_endpoint(name);
    const bool is_new = found == endpoints_.end();
    Statement change(database_, is_new ? "INSERT INTO endpoint (name, bytes) VALUES (?, 0)"
                                       : "UPDATE endpoint SET removed_at = NULL WHERE name = ?");
    change.bind(name).run();
    if (is_new) {
        endpoints_[database_.number("SELECT last_insert_rowid()")].name = name;
    } else {
        found->second.removed_at.reset();
    }
}

SqliteStore::Endpoints::iterator SqliteStore::find_endpoint(std::string_view name) {
    return std::find_if(endpoints_.begin(), endpoints_.end(),
                        [name](const auto& entry) { return entry.second.name == name; });
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
    forgotten_events_ += purge(endpoint, std::numeric_limits<std::int64_t>::max()).events;
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
        erase_garbage(erased_idle_max);
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
    std::error_code no_disk;
    const fs::space_info disk = fs::space(file_, no_disk);
    stats.disk_available_bytes = no_disk ? 0 : disk.available;
    std::error_code no_log;
    const std::uintmax_t wal_bytes = fs::file_size(file_ + "-wal", no_log);
    stats.wal_bytes = no_log ? 0 : wal_bytes;
    stats.events = pending_.of(PendingTable::stored).count();
    stats.bytes_max = options_.bytes_max;
    stats.damaged_events = events_.damaged_events();
    stats.forgotten_events = forgotten_events_;
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
    tell_of(problems, damaged, "damaged events");
    intact.add(damaged);
    return intact;
}

void SqliteStore::check_pending(const SeqRanges& rows, std::vector<std::string>& problems) {
    const SeqRanges& stored = pending_.of(PendingTable::stored);
    tell_of(problems, stored.minus(rows), "missing events");
    tell_of(problems, rows.minus(stored), "events that nobody knows of");
    for (const auto& [id, endpoint] : endpoints_) {
        tell_of(problems, pending_.of(id).minus(stored),
                "events that wait for endpoint " + endpoint.name + " and are not stored");
    }
}

}  // namespace fanfare
