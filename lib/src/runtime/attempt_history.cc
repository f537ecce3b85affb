#include "runtime/attempt_history.h"

#include <algorithm>

namespace fanfare {

void AttemptHistory::add(const Attempt& attempt, const Outcome& outcome, TimePoint started,
                         TimePoint ended) {
    if (entries_.size() < records_max) entries_.emplace_back();
    Entry& entry = entries_[next_];
    next_ = (next_ + 1) % records_max;
    const Event& first = *attempt.batch.front();
    const std::string_view id = first.id().substr(0, entry.id.size());
    entry.started = started;
    entry.took = ended - started;
    entry.seq = first.seq();
    entry.last_seq = attempt.batch.back()->seq();
    entry.events = static_cast<std::uint32_t>(attempt.batch.size());
    entry.number = attempt.number;
    entry.status = outcome.http_status();
    entry.error = outcome.http_status() == 0 ? outcome.reason() : Reason::none;
    entry.id_bytes = static_cast<std::uint8_t>(id.size());
    std::copy(id.begin(), id.end(), entry.id.begin());
}

AttemptRecord AttemptHistory::record_of(const Entry& entry, Now now) {
    AttemptRecord record;
    record.began_at =
        now.wall - std::chrono::duration_cast<WallTime::duration>(now.steady - entry.started);
    record.seq = entry.seq;
    record.event_id.assign(entry.id.data(), entry.id_bytes);
    record.events = entry.events;
    record.number = entry.number;
    record.status = entry.status;
    record.error = entry.error;
    record.took = entry.took;
    return record;
}

std::vector<AttemptRecord> AttemptHistory::newest(std::size_t limit, const Clock& clock) const {
    const Now now{clock.now(), clock.wall()};
    std::vector<AttemptRecord> records;
    const std::size_t count = std::min(limit, entries_.size());
    for (std::size_t i = 1; i <= count; ++i) {
        records.push_back(record_of(entries_[(next_ + records_max - i) % records_max], now));
    }
    return records;
}

std::vector<AttemptRecord> AttemptHistory::of(std::uint64_t seq, const Clock& clock) const {
    const Now now{clock.now(), clock.wall()};
    std::vector<AttemptRecord> records;
    const std::size_t oldest = entries_.size() < records_max ? 0 : next_;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[(oldest + i) % records_max];
        if (entry.seq <= seq && seq <= entry.last_seq) records.push_back(record_of(entry, now));
    }
    return records;
}

}  // namespace fanfare
