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
    if (events > 1) oldest_of_batches_.insert(batch.front()->accepted());
    const bool is_new = leases_.emplace(place, std::move(lease)).second;
    assert(is_new);
    static_cast<void>(is_new);
    events_ += events;
}

Lease ReturnedLeases::take(Leases::iterator found) {
    Lease lease = std::move(found->second);
    by_age_.erase({lease.batch().back()->accepted(), found->first});
    leases_.erase(found);
    const Batch batch = lease.batch();
    events_ -= batch.size();
    if (batch.size() > 1) {
        oldest_of_batches_.erase(oldest_of_batches_.find(batch.front()->accepted()));
    }
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
    oldest_of_batches_.clear();
    events_ = 0;
}

TimePoint ReturnedLeases::oldest_lease() const noexcept {
    return by_age_.empty() ? TimePoint::max() : by_age_.begin()->first;
}

/// Where order does not matter, batches from when it did stand in the order of their holds.
TimePoint ReturnedLeases::oldest_accepted() const noexcept {
    const bool has_batches = !oldest_of_batches_.empty();
    return has_batches ? std::min(*oldest_of_batches_.begin(), oldest_lease()) : oldest_lease();
}

}  // namespace fanfare
