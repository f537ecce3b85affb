#include "store/sqlite_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/sqlite_time.h"
#include "store/store_files.h"
#include "store/store_schema.h"

namespace fanfare {
namespace {

namespace fs = std::filesystem;

/// Rows erased by a commit that adds events, on top of two for each of them.
constexpr std::uint64_t erased_max = 1024;

/// How many pages there may be, and up to how many events may be added: the rest is for
/// acknowledgements, which must go on, and for the write-ahead log.
struct PageBounds {
    std::int64_t pages_max;
    std::int64_t pages_for_events;

    explicit PageBounds(std::uint64_t bytes_max) {
        const std::int64_t all = to_sqlite(bytes_max) / store_page_bytes;
        const std::int64_t room = std::clamp<std::int64_t>(all / 8, 32, 8192);
        pages_max = all - room / 2;
        pages_for_events = all - room;
    }
};

Reason reason_of(std::string_view text) {
    for (unsigned i = 0; i <= static_cast<unsigned>(Reason::closed); ++i) {
        const auto reason = static_cast<Reason>(i);
        if (to_string(reason) == text) return reason;
    }
    return Reason::none;
}

constexpr std::int64_t ballast_pages = Ballast::bytes / store_page_bytes;

}  // namespace

SqliteStore::SqliteStore(const SqliteStoreOptions& options, Database database)
    : options_(options),
      file_(fs::path(options.dir) / file_name),
      ballast_(fs::path(options.dir) / ballast_name),
      database_(std::move(database)),
      pending_(database_),
      events_(database_),
      page_count_(database_, "PRAGMA page_count"),
      free_count_(database_, "PRAGMA freelist_count"),
      select_attempt_(database_,
                      "SELECT attempts, failures, next_at, last_status, last_error FROM attempt "
                      "WHERE endpoint = ? AND seq = ?"),
      write_attempt_(database_,
                     "INSERT OR REPLACE INTO attempt (endpoint, seq, attempts, failures, next_at, "
                     "last_status, last_error) VALUES (?, ?, ?, ?, ?, ?, ?)"),
      erase_attempts_(database_,
                      "DELETE FROM attempt WHERE endpoint = ? AND seq >= ? AND seq <= ?"),
      write_bytes_(database_, "UPDATE endpoint SET bytes = ? WHERE id = ?"),
      write_last_seq_(database_, "UPDATE meta SET last_seq = ?") {
    const std::int64_t pages_max = PageBounds(options.bytes_max).pages_max;
    database_.execute(("PRAGMA max_page_count = " + std::to_string(pages_max)).c_str());
    load();
    ballast_.take();
}

SqliteStore::~SqliteStore() {
    if (is_broken_) return;
    try {
        database_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (const SqliteError&) {
        // What is in the log is as safe there; the next start goes on from it.
    }
}

void SqliteStore::load() {
    Statement meta(database_, "SELECT store_id, last_seq FROM meta");
    if (!meta.next_row()) throw SqliteError(SqliteError::damage, "the store has no identity");
    id_ = meta.text(0);
    saved_last_seq_ = static_cast<std::uint64_t>(meta.number(1));
    meta.reset();
    pending_.load();
    load_endpoints();
    const SeqRanges& stored = pending_.of(PendingTable::stored);
    last_seq_ = std::max(saved_last_seq_, stored.is_empty() ? 0 : stored.last());
    garbage_.clear();
    find_garbage(stored);
}

void SqliteStore::load_endpoints() {
    endpoints_.clear();
    Statement query(database_,
                    "SELECT id, name, removed_at, removed_at IS NULL, bytes "
                    "FROM endpoint");
    while (query.next_row()) {
        Endpoint& endpoint = endpoints_[query.number(0)];
        endpoint.name = query.text(1);
        if (query.number(3) == 0) endpoint.removed_at = time_of(query.number(2));
        endpoint.bytes = static_cast<std::uint64_t>(query.number(4));
    }
    Statement attempts(database_, "SELECT endpoint, seq FROM attempt");
    while (attempts.next_row()) {
        const auto found = endpoints_.find(attempts.number(0));
        if (found == endpoints_.end()) continue;
        found->second.attempted.add(static_cast<std::uint64_t>(attempts.number(1)));
    }
}

void SqliteStore::require_usable() const {
    if (is_broken_) throw StoreBroken("the store has failed before");
}

/// For what makes room, or needs next to none: on a full disk it is given what is kept for it.
void SqliteStore::write(const std::function<void()>& work) {
    for (;;) {
        try {
            return try_to_write(work);
        } catch (const StoreFull&) {
            if (!make_room()) throw;
        }
    }
}

/// Whether the disk may take more now. What stands in the log is written into the file, so that the
/// log's room is there for the next commit; that may need room itself.
bool SqliteStore::make_room() {
    if (!ballast_.release()) return false;
    checkpoint();
    return true;
}

void SqliteStore::checkpoint() {
    try {
        database_.execute("PRAGMA wal_checkpoint(RESTART)");
    } catch (const SqliteError& error) {
        if (!error.is_full()) fail(error);
    }
}

/// In one transaction; what is garbage then is erased in steps.
void SqliteStore::try_to_write(const std::function<void()>& work) {
    require_usable();
    try {
        Transaction transaction(database_);
        work();
        save();
        transaction.commit();
    } catch (const SqliteError& error) {
        fail(error);
    } catch (...) {
        is_broken_ = true;
        throw StoreBroken("out of memory");
    }
}

void SqliteStore::fail(const SqliteError& error) {
    is_broken_ = true;
    if (error.is_full()) {
        // What is in memory has gone ahead of the file.
        try {
            load();
        } catch (const SqliteError& second) {
            throw StoreBroken(second.what());
        }
        is_broken_ = false;
        throw StoreFull(error.what());
    }
    if (error.is_damage()) mark_suspect(file_);
    throw StoreBroken(error.what());
}

void SqliteStore::commit(const Changes& changes) {
    require_usable();
    if (changes.events.empty()) return write([&] { apply(changes); });
    require_room(changes);
    try_to_write([&] { apply(changes); });
}

void SqliteStore::apply(const Changes& changes) {
    const SeqRanges wanted = apply_wanted(changes);
    for (const NewEvent& event : changes.events) {
        last_seq_ = std::max(last_seq_, event.seq);
        if (!wanted.contains(event.seq)) continue;
        events_.insert(event);
        pending_.add(PendingTable::stored, {event.seq, event.seq});
    }
    for (const EventProgress& progress : changes.progress) apply_progress(progress);
    for (const EndpointSeqs& done : changes.acknowledged) apply_acknowledged(done);
    erase_garbage(changes.events.empty() ? erased_idle_max
                                         : erased_max + 2 * changes.events.size());
}

SeqRanges SqliteStore::apply_wanted(const Changes& changes) {
    SeqRanges all;
    for (const EndpointRun& wanted : changes.wanted) {
        const auto found = endpoints_.find(wanted.endpoint);
        if (found == endpoints_.end()) continue;
        pending_.add(wanted.endpoint, wanted.seqs);
        found->second.bytes += wanted.bytes;
        found->second.has_new_bytes = true;
        all.add(wanted.seqs);
    }
    return all;
}

void SqliteStore::apply_acknowledged(const EndpointSeqs& done) {
    const auto found = endpoints_.find(done.endpoint);
    if (found == endpoints_.end()) return;
    Endpoint& endpoint = found->second;
    const std::uint64_t bytes = endpoint.bytes;
    std::uint64_t events = 0;
    for (const SeqRange& run : done.seqs) {
        events += drop(done.endpoint, endpoint, run).events;
    }
    // Exact, if all of them waited. drop() has only guessed.
    const bool is_all = events == done.seqs.count();
    const bool is_empty = pending_.of(done.endpoint).is_empty();
    if (is_all && !is_empty) endpoint.bytes = bytes - std::min(bytes, done.bytes);
}

/// Takes what waits in a range away from an endpoint. Its bytes are its part of all that waited.
Backlog SqliteStore::drop(EndpointId id, Endpoint& endpoint, SeqRange range) {
    const std::uint64_t before = pending_.of(id).count();
    SeqRanges removed = pending_.remove(id, range);
    if (removed.is_empty()) return {};
    Backlog dropped;
    dropped.events = removed.count();
    const double part = static_cast<double>(dropped.events) / static_cast<double>(before);
    dropped.bytes = dropped.events == before
                        ? endpoint.bytes
                        : static_cast<std::uint64_t>(static_cast<double>(endpoint.bytes) * part);
    endpoint.bytes -= std::min(endpoint.bytes, dropped.bytes);
    endpoint.has_new_bytes = true;
    forget_attempts(id, endpoint, range);
    find_garbage(std::move(removed));
    return dropped;
}

void SqliteStore::forget_attempts(EndpointId id, Endpoint& endpoint, SeqRange range) {
    const SeqRanges::Iterator run = endpoint.attempted.find(range.first);
    if (run == endpoint.attempted.end() || run->first > range.last) return;
    endpoint.attempted.remove(range);
    erase_attempts_.bind(id).bind(to_sqlite(range.first)).bind(to_sqlite(range.last)).run();
}

void SqliteStore::apply_progress(const EventProgress& progress) {
    const auto found = endpoints_.find(progress.endpoint);
    if (found == endpoints_.end()) return;
    if (!pending_.of(progress.endpoint).contains(progress.seq)) return;
    write_attempt_.bind(progress.endpoint)
        .bind(to_sqlite(progress.seq))
        .bind(std::int64_t{progress.progress.attempts})
        .bind(std::int64_t{progress.progress.failures})
        .bind(number_of(progress.progress.next_at))
        .bind(std::int64_t{progress.progress.last_status})
        .bind(to_string(progress.progress.last_error))
        .run();
    found->second.attempted.add(progress.seq);
}

/// Of seqs that an endpoint is done with, those that no other one wants.
void SqliteStore::find_garbage(SeqRanges candidates) {
    // Where one endpoint holds events back, it holds them back again and again.
    if (last_holder_ != PendingTable::stored) {
        candidates = candidates.minus(pending_.of(last_holder_));
    }
    for (auto entry = endpoints_.begin(); entry != endpoints_.end() && !candidates.is_empty();
         ++entry) {
        candidates = candidates.minus(pending_.of(entry->first));
        last_holder_ = entry->first;
    }
    garbage_.add(candidates);
}

void SqliteStore::erase_garbage(std::uint64_t events_max) {
    while (!garbage_.is_empty() && events_max > 0) {
        SeqRange run = *garbage_.begin();
        run.last = std::min(run.last, run.first + events_max - 1);
        events_max -= run.count();
        garbage_.remove(run);
        events_.erase(run);
        pending_.remove(PendingTable::stored, run);
    }
}

void SqliteStore::save() {
    pending_.save();
    for (auto& [id, endpoint] : endpoints_) {
        if (!std::exchange(endpoint.has_new_bytes, false)) continue;
        write_bytes_.bind(to_sqlite(endpoint.bytes)).bind(id).run();
    }
    // The newest event tells, as long as it is there.
    const SeqRanges& stored = pending_.of(PendingTable::stored);
    const bool is_told = !stored.is_empty() && stored.last() == last_seq_;
    if (is_told || saved_last_seq_ == last_seq_) return;
    write_last_seq_.bind(to_sqlite(last_seq_)).run();
    saved_last_seq_ = last_seq_;
}

StoredPage SqliteStore::page(EndpointId endpoint, std::uint64_t after, const PageLimits& limits) {
    require_usable();
    StoredPage page;
    const auto found = endpoints_.find(endpoint);
    if (found == endpoints_.end()) return page;
    try {
        const SeqRanges& pending = pending_.of(endpoint);
        for (auto run = pending.find(after + 1); run != pending.end() && !page.has_more; ++run) {
            const SeqRange rest{std::max(run->first, after + 1), run->last};
            page.has_more = !events_.read(rest, limits, page);
        }
        for (StoredEvent& event : page.events) {
            event.progress = progress_of(endpoint, found->second, event.seq);
        }
    } catch (const SqliteError& error) {
        fail(error);
    }
    return page;
}

std::optional<StoredProgress> SqliteStore::progress_of(EndpointId id, const Endpoint& endpoint,
                                                       std::uint64_t seq) {
    if (!endpoint.attempted.contains(seq)) return std::nullopt;
    select_attempt_.bind(id).bind(to_sqlite(seq));
    if (!select_attempt_.next_row()) return std::nullopt;
    StoredProgress progress;
    progress.attempts = static_cast<unsigned>(select_attempt_.number(0));
    progress.failures = static_cast<unsigned>(select_attempt_.number(1));
    progress.next_at = time_of(select_attempt_.number(2));
    progress.last_status = static_cast<int>(select_attempt_.number(3));
    progress.last_error = reason_of(select_attempt_.text(4));
    select_attempt_.reset();
    return progress;
}

std::int64_t SqliteStore::pages_used() {
    page_count_.next_row();
    const std::int64_t pages = page_count_.number(0);
    page_count_.reset();
    free_count_.next_row();
    const std::int64_t free = free_count_.number(0);
    free_count_.reset();
    return pages - free;
}

void SqliteStore::require_room(const Changes& changes) {
    // An event may fill little more than half of a page that it cannot share.
    std::uint64_t bytes = 0;
    for (const NewEvent& event : changes.events) bytes += 2 * EventTable::bytes_of(*event.event);
    const std::int64_t pages = 8 + to_sqlite(bytes) / store_page_bytes;
    const PageBounds bounds(options_.bytes_max);
    if (pages_used() + pages > bounds.pages_for_events) throw StoreFull("the store is full");
    if (!has_disk(2 * pages)) throw StoreFull("the disk is full");
}

/// Whether there is something left for acknowledgements when the disk is full; if not, so many
/// pages must be free in the file.
bool SqliteStore::has_disk(std::int64_t pages) {
    if (ballast_.take()) return true;
    free_count_.next_row();
    const std::int64_t free = free_count_.number(0);
    free_count_.reset();
    return free >= pages + ballast_pages;
}

bool SqliteStore::has_room() {
    require_usable();
    const std::int64_t pages = PageBounds(options_.bytes_max).pages_for_events;
    return pages_used() + pages / 16 <= pages && has_disk(0);
}

}  // namespace fanfare
