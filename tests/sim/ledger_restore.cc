// What the books say of what is found on the disk.
#include <algorithm>

#include "sim/ledger.h"

namespace fanfare::sim {
/// The queue is told of the attempts made at what comes back.
void Ledger::note_progress(Item& item) {
    item.noted.attempts = item.attempts;
    item.noted.failures = item.failures;
    item.noted.last_status = item.last_status;
    item.noted.last_error = item.last_error;
    item.noted_at = clock_.now();
}

bool Ledger::must_be_there(const Item& item) const {
    const bool is_open = item.state == State::waiting || item.state == State::in_flight ||
                         item.state == State::giving_up;
    return is_open || item.is_letter_due;
}

/// What is done with is there no longer than it takes to write that down.
bool Ledger::may_be_there(const Item& item, const Restart& restart) const {
    if (must_be_there(item)) return true;
    return !restart.is_orderly && item.done_at >= restart.since;
}

void Ledger::restore(const Restart& restart) {
    std::set<std::uint64_t> found;
    for (const StoredEvent& stored : restart.page.events) {
        found.insert(stored.seq);
        const auto known = restart.before.items_.find(stored.seq);
        if (known != restart.before.items_.end()) {
            if (!may_be_there(known->second, restart)) {
                story_.fail(label(known->second), " is still on the disk, in state ",
                            static_cast<unsigned>(known->second.state), ", since ",
                            Duration(clock_.now() - known->second.done_at));
            }
            restore_item(known->second, stored, restart);
            continue;
        }
        const auto unknown = restart.unknown.find(stored.seq);
        if (unknown == restart.unknown.end()) {
            story_.fail(plan_.name, ": #", stored.seq, " is on the disk without reason");
            continue;
        }
        restore_item(unknown->second, stored, restart);
    }
    for (const auto& [seq, item] : restart.before.items_) {
        if (must_be_there(item) && !found.contains(seq)) story_.fail(label(item), " is lost");
    }
    restored_ = open_.size();
    are_bytes_known_ = restart.before.are_bytes_known_;
    // A change of order may cost those their story that were tried and are not the oldest.
    std::set<std::string_view> keys;
    for (const std::uint64_t seq : open_) {
        Item& item = items_.at(seq);
        const bool is_first = plan_.order() == Order::strict
                                  ? seq == *open_.begin()
                                  : plan_.order() == Order::free || keys.insert(item.key).second;
        item.is_story_doubtful = !is_first;
    }
}

void Ledger::restore_item(Item item, const StoredEvent& stored, const Restart& restart) {
    const StoredProgress progress = stored.progress.value_or(StoredProgress());
    const bool is_fresh = !restart.is_orderly && item.noted_at >= restart.since;
    const bool is_same = progress.attempts == item.noted.attempts &&
                         progress.failures == item.noted.failures &&
                         progress.last_status == item.noted.last_status &&
                         progress.last_error == item.noted.last_error;
    if (!is_same && !is_fresh) {
        story_.fail(label(item), ": ", progress.attempts, " attempts are on the disk instead of ",
                    item.noted.attempts);
    }
    restore_times(item, stored, restart);
    item.event = stored.event;
    item.state = State::waiting;
    item.attempts = progress.attempts;
    item.failures = progress.failures;
    item.noted = progress;
    item.is_part = false;
    item.is_letter_due = false;
    item.batch = 0;
    pending_bytes_ += stored.event->payload().size();
    open_.insert(item.seq);
    items_.insert_or_assign(item.seq, std::move(item));
}

/// The same moments as before, as far as the wall clock can tell.
void Ledger::restore_times(Item& item, const StoredEvent& stored, const Restart& restart) {
    const TimePoint now = clock_.now();
    const TimePoint accepted = restart.times.steady(stored.accepted_at);
    if (!restart.has_stepped && !item.is_time_doubtful && accepted != item.accepted) {
        story_.fail(label(item), " is accepted at another time, by ",
                    Duration(accepted - item.accepted));
    }
    item.accepted = std::min(accepted, now);
    item.is_time_doubtful = accepted > now;
    item.has_time_stepped = item.has_time_stepped || restart.has_stepped;
    TimePoint next = TimePoint::min();
    if (stored.progress && stored.progress->next_at != WallTime()) {
        next = restart.times.steady(stored.progress->next_at);
        const bool is_known = !restart.has_stepped &&
                              stored.progress->attempts == item.noted.attempts &&
                              item.not_after > TimePoint::min();
        const bool is_early = next < item.not_before && now < item.not_before;
        if (is_known && !item.is_hold_doubtful && (is_early || next > item.not_after)) {
            story_.fail(label(item), " waits for another time");
        }
        const TimePoint longest = now + retry_delay_max(plan_.retry);
        item.is_hold_doubtful = next > longest;
        next = std::min(next, longest);
    }
    item.not_before = item.not_after = next;
}

}  // namespace fanfare::sim
