#include <algorithm>
#include <cassert>

#include "fanfare/queue.h"

namespace fanfare {

std::pair<Lease, Lease> Lease::split() const {
    assert(events_.size() > 1);
    std::pair<Lease, Lease> halves;
    const std::size_t first = (events_.size() + 1) / 2;
    for (std::size_t i = 0; i < events_.size(); ++i) {
        Lease& half = i < first ? halves.first : halves.second;
        half.add(events_[i]);
    }
    for (Lease* const half : {&halves.first, &halves.second}) {
        half->is_part_ = true;
        half->tag_ = tag_;
    }
    return halves;
}

void ReturnedLeases::add(Lease lease, TimePoint order) {
    const Batch batch = lease.batch();
    const Place place(order, batch.front()->seq());
    const std::size_t events = batch.size();
    by_age_.emplace(batch.back()->accepted(), place);
    const bool is_new = leases_.emplace(place, std::move(lease)).second;
    assert(is_new);
    static_cast<void>(is_new);
    events_ += events;
}

Lease ReturnedLeases::take(Leases::iterator found) {
    Lease lease = std::move(found->second);
    by_age_.erase({lease.batch().back()->accepted(), found->first});
    leases_.erase(found);
    events_ -= lease.batch().size();
    return lease;
}

Lease ReturnedLeases::take_front() { return take(leases_.begin()); }

Lease ReturnedLeases::take_oldest() { return take(leases_.find(by_age_.begin()->second)); }

void ReturnedLeases::take_all(std::vector<EventPtr>& events) {
    for (const auto& entry : leases_) {
        const Batch batch = entry.second.batch();
        events.insert(events.end(), batch.begin(), batch.end());
    }
    leases_.clear();
    by_age_.clear();
    events_ = 0;
}

TimePoint ReturnedLeases::oldest_lease() const noexcept {
    return by_age_.empty() ? TimePoint::max() : by_age_.begin()->first;
}

/// Leases of several events are kept in the order of their seqs, so the first has the oldest one.
TimePoint ReturnedLeases::oldest_accepted() const noexcept {
    if (is_empty()) return TimePoint::max();
    return std::min(front().batch().front()->accepted(), oldest_lease());
}

}  // namespace fanfare
