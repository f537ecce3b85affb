#pragma once

#include <functional>
#include <set>

#include "store/event_store.h"
#include "store/sqlite.h"

namespace fanfare {

/// The events' rows. Each carries a CRC of all that it holds, as SQLite would not notice a bit that
/// has changed on the disk. Everything may throw SqliteError.
class EventTable {
  public:
    explicit EventTable(Database& database);

    /// What the row takes in the file, roughly, beside the payload.
    static constexpr std::uint64_t row_overhead_bytes = 64;
    static std::uint64_t bytes_of(const Event& event) noexcept;

    void insert(const NewEvent& event);

    /// Adds the events of `seqs` to the page, in order, until it has enough. Those that are damaged
    /// or not there are added without their content. True: all are there.
    bool read(SeqRange seqs, const PageLimits& limits, StoredPage& page);

    /// Events known to be damaged are put aside, where an operator may look at them.
    void erase(SeqRange seqs);

    /// Nothing if there is none.
    std::optional<WallTime> accepted_at(std::uint64_t seq);

    /// How many different events were found to be damaged.
    std::uint64_t damaged_events() const noexcept { return damaged_count_; }

    /// Reads all rows. Calls `problem` with the seq of each that is damaged, and adds up the
    /// others.
    void check(const std::function<void(std::uint64_t)>& problem, SeqRanges& intact);

  private:
    bool read_rows(SeqRange seqs, const PageLimits& limits, StoredPage& page);
    void read_one(std::uint64_t seq, StoredPage& page);
    void add_damaged(std::uint64_t seq, StoredPage& page);
    void put_aside(std::uint64_t seq);

    Database& database_;
    Statement insert_;
    Statement select_;
    Statement erase_;
    std::set<std::uint64_t> damaged_;  // that still have a row
    std::uint64_t damaged_count_ = 0;
};

}  // namespace fanfare
