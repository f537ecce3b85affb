#pragma once

#include <map>

#include "store/event_store.h"
#include "store/sqlite.h"

namespace fanfare {

/// Sets of seqs, one per endpoint: in memory, and as rows of runs in the file. What changes in
/// memory is written by save(), which costs a few rows per set however many seqs they stand for.
/// If the transaction fails, load() brings back what the file has.
class PendingTable {
  public:
    /// No endpoint's: the events that have a row.
    static constexpr EndpointId stored = 0;

    explicit PendingTable(Database& database);

    /// Reads all runs. Throws SqliteError, damage, if they make no sense.
    void load();

    /// Empty if there is none.
    const SeqRanges& of(EndpointId set) const noexcept;

    void add(EndpointId set, SeqRange range);
    /// Returns what was there and is no more.
    SeqRanges remove(EndpointId set, SeqRange range);

    /// Within a transaction.
    void save();

  private:
    struct Set {
        SeqRanges seqs;
        SeqRanges::Touched touched;
    };
    void save(EndpointId id, Set& set);

    Database& database_;
    Statement write_;
    Statement erase_;
    std::map<EndpointId, Set> sets_;
};

}  // namespace fanfare
