#include <algorithm>
#include <cassert>

#include "fanfare/queue.h"

namespace fanfare {

void MemoryQueue::push(EventPtr event) {
    const std::size_t bytes = event->payload().size();
    waiting_.push_back(std::move(event));
    bytes_ += bytes;
}

Lease MemoryQueue::lease(const LeaseLimits& limits) {
    Lease lease;
    std::size_t bytes = 0;
    while (!waiting_.empty() &&
           lease.batch().size() < std::max<std::size_t>(limits.events_max, 1)) {
        EventPtr& next = waiting_.front();
        bytes += next->payload().size();
        const bool is_first = lease.is_empty();
        if (!is_first && bytes > limits.bytes_max) break;
        // An envelope has one media type, so a batch ends where it changes (SPEC 5).
        if (!is_first && next->type() != lease.batch().front()->type()) break;
        leased_.push_back(next->accepted());
        lease.add(std::move(next));
        waiting_.pop_front();
    }
    return lease;
}

void MemoryQueue::settle(Lease lease, Settle how) {
    for (const EventPtr& event : lease.batch()) {
        const auto found = std::find(leased_.begin(), leased_.end(), event->accepted());
        assert(found != leased_.end());
        *found = leased_.back();
        leased_.pop_back();
        if (how == Settle::done) {
            bytes_ -= event->payload().size();
            continue;
        }
        const auto younger =
            std::find_if(waiting_.begin(), waiting_.end(),
                         [&](const EventPtr& other) { return other->seq() > event->seq(); });
        waiting_.insert(younger, event);
    }
}

std::size_t MemoryQueue::pending_events() const noexcept {
    return waiting_.size() + leased_.size();
}

TimePoint MemoryQueue::oldest_accepted() const noexcept {
    TimePoint oldest = waiting_.empty() ? TimePoint::max() : waiting_.front()->accepted();
    for (const TimePoint accepted : leased_) oldest = std::min(oldest, accepted);
    return oldest;
}

}  // namespace fanfare
