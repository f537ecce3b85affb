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
    halves.first.is_part_ = true;
    halves.second.is_part_ = true;
    return halves;
}

void ReturnedLeases::add(Lease lease, TimePoint order) {
    const std::uint64_t seq = lease.batch().front()->seq();
    for (const EventPtr& event : lease.batch()) accepted_.insert(event->accepted());
    leases_.emplace(std::pair(order, seq), std::move(lease));
}

Lease ReturnedLeases::take_front() {
    Lease lease = std::move(leases_.begin()->second);
    leases_.erase(leases_.begin());
    for (const EventPtr& event : lease.batch()) accepted_.erase(accepted_.find(event->accepted()));
    return lease;
}

void ReturnedLeases::take_all(std::vector<EventPtr>& events) {
    while (!is_empty()) {
        const Lease lease = take_front();
        events.insert(events.end(), lease.batch().begin(), lease.batch().end());
    }
}

TimePoint ReturnedLeases::oldest_accepted() const noexcept {
    return accepted_.empty() ? TimePoint::max() : *accepted_.begin();
}

}  // namespace fanfare
