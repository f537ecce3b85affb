#include "store/pending_table.h"

#include <algorithm>

namespace fanfare {
namespace {

const SeqRanges nothing;

bool is_next_run(const SeqRanges& seqs, std::int64_t first, std::int64_t last) {
    const bool is_run = 0 < first && first <= last;
    return is_run && (seqs.is_empty() || to_sqlite(seqs.last()) + 1 < first);
}

}  // namespace

PendingTable::PendingTable(Database& database)
    : database_(database),
      write_(database, "INSERT OR REPLACE INTO pending (endpoint, first, last) VALUES (?, ?, ?)"),
      erase_(database, "DELETE FROM pending WHERE endpoint = ? AND first = ?") {}

void PendingTable::load() {
    sets_.clear();
    Statement query(database_,
                    "SELECT endpoint, first, last FROM pending ORDER BY endpoint, first");
    while (query.next_row()) {
        SeqRanges& seqs = sets_[query.number(0)].seqs;
        const std::int64_t first = query.number(1);
        const std::int64_t last = query.number(2);
        if (!is_next_run(seqs, first, last)) {
            throw SqliteError(SqliteError::damage, "runs of pending events overlap");
        }
        seqs.add(SeqRange{static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)});
    }
}

const SeqRanges& PendingTable::of(EndpointId set) const noexcept {
    const auto found = sets_.find(set);
    return found == sets_.end() ? nothing : found->second.seqs;
}

void PendingTable::add(EndpointId set, SeqRange range) {
    Set& changed = sets_[set];
    changed.seqs.add(range, &changed.touched);
}

SeqRanges PendingTable::remove(EndpointId set, SeqRange range) {
    const auto found = sets_.find(set);
    if (found == sets_.end()) return {};
    SeqRanges removed = found->second.seqs.common(range);
    found->second.seqs.remove(range, &found->second.touched);
    return removed;
}

void PendingTable::save() {
    for (auto& [id, set] : sets_) {
        if (!set.touched.empty()) save(id, set);
    }
    std::erase_if(sets_, [](const auto& entry) { return entry.second.seqs.is_empty(); });
}

void PendingTable::save(EndpointId id, Set& set) {
    std::sort(set.touched.begin(), set.touched.end());
    const auto end = std::unique(set.touched.begin(), set.touched.end());
    for (auto first = set.touched.begin(); first != end; ++first) {
        const SeqRanges::Iterator run = set.seqs.find(*first);
        if (run != set.seqs.end() && run->first == *first) {
            write_.bind(id).bind(to_sqlite(run->first)).bind(to_sqlite(run->last)).run();
        } else {
            erase_.bind(id).bind(to_sqlite(*first)).run();
        }
    }
    set.touched.clear();
}

}  // namespace fanfare
