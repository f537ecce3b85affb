#include <algorithm>

#include "store/event_table.h"
#include "store/pending_table.h"
#include "store/store_files.h"
#include "store/store_schema.h"

namespace fanfare {
namespace {

/// One table, row by row. Null stays null.
void copy_table(Database& from, Database& to, const std::string& table,
                const std::string& columns) {
    const auto count = std::count(columns.begin(), columns.end(), ',');
    Statement rows(from, "SELECT " + columns + " FROM " + table);
    std::string marks = "?";
    for (auto i = count; i > 0; --i) marks += ", ?";
    Statement insert(
        to, "INSERT OR IGNORE INTO " + table + " (" + columns + ") VALUES (" + marks + ")");
    Transaction transaction(to);
    while (rows.next_row()) {
        for (int i = 0; i <= count; ++i) insert.bind_column(rows, i);
        insert.run();
    }
    transaction.commit();
}

/// Progress is not worth giving anything up for.
void copy_attempts(Database& from, Database& to) {
    try {
        copy_table(from, to, "attempt",
                   "endpoint, seq, attempts, failures, next_at, last_status, last_error");
    } catch (const SqliteError& error) {
        if (!error.is_damage()) throw;
    }
}

void copy_identity(Database& from, Database& to, const SeqRanges& stored) {
    Statement row(from, "SELECT store_id, last_seq FROM meta");
    if (!row.next_row()) throw SqliteError(SqliteError::damage, "the store has no identity");
    Statement change(to, "UPDATE meta SET store_id = ?, last_seq = ?");
    const std::int64_t last = stored.is_empty() ? 0 : static_cast<std::int64_t>(stored.last());
    change.bind(row.text(0)).bind(std::max(row.number(1), last)).run();
}

Salvaged copy_events(Database& from, Database& to, const SeqRanges& stored, PendingTable& pending) {
    EventTable source(from);
    EventTable target(to);
    Salvaged salvaged;
    for (const SeqRange& run : stored) {
        bool is_done = false;
        for (SeqRange rest = run; !is_done;) {
            StoredPage page;
            const std::uint64_t first = rest.first;
            is_done = source.read(rest, {}, page);
            Transaction transaction(to);
            for (const StoredEvent& event : page.events) {
                // Pages that are not what they should be can lead back to what was read before.
                if (event.seq < rest.first) continue;
                rest.first = event.seq + 1;
                if (event.event == nullptr) {
                    ++salvaged.lost_events;
                    continue;
                }
                target.insert({event.seq, event.accepted_at, event.event});
                pending.add(PendingTable::stored, {event.seq, event.seq});
                ++salvaged.events;
            }
            pending.save();
            transaction.commit();
            is_done = is_done || rest.first == first;
        }
    }
    return salvaged;
}

}  // namespace

Salvaged salvage_store(Database& damaged, Database& empty) {
    if (damaged.number("PRAGMA user_version") != store_schema_version) {
        throw SqliteError(SqliteError::damage, "the file has other tables");
    }
    copy_table(damaged, empty, "endpoint", "id, name, removed_at, bytes");
    copy_attempts(damaged, empty);
    PendingTable source(damaged);
    source.load();
    copy_identity(damaged, empty, source.of(PendingTable::stored));
    PendingTable target(empty);
    Statement endpoints(empty, "SELECT id FROM endpoint");
    while (endpoints.next_row()) {
        const EndpointId id = endpoints.number(0);
        for (const SeqRange& run : source.of(id)) target.add(id, run);
    }
    return copy_events(damaged, empty, source.of(PendingTable::stored), target);
}

}  // namespace fanfare
