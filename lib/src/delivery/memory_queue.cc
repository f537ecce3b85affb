#include <algorithm>
#include <cassert>

#include "fanfare/queue.h"

namespace fanfare {

void MemoryQueue::push(EventPtr event) {
    const std::size_t bytes = event->payload().size();
    waiting_.push_back(std::move(event));
    waiting_bytes_ += bytes;
}

TimePoint MemoryQueue::ready_at(const LeaseLimits& limits) const noexcept {
    const bool has_returned = !returned_.is_empty();
    if (has_returned && order_ == Order::strict) return returned_.front().not_before();
    const TimePoint again = has_returned ? returned_.front().not_before() : TimePoint::max();
    if (waiting_.empty()) return again;
    const bool is_full = limits.linger <= Duration::zero() ||
                         waiting_.size() >= limits.events_max || waiting_bytes_ > limits.bytes_max;
    if (is_full) return TimePoint::min();
    return std::min(again, waiting_.front()->accepted() + limits.linger);
}

Lease MemoryQueue::lease(const LeaseLimits& limits, TimePoint now) {
    Lease lease;
    if (!returned_.is_empty() && returned_.front().not_before() <= now) {
        lease = returned_.take_front();
    } else if (returned_.is_empty() || order_ == Order::free) {
        if (ready_at(limits) <= now) lease = form(limits);
    }
    for (const EventPtr& event : lease.batch()) leased_.push_back(event->accepted());
    return lease;
}

Lease MemoryQueue::form(const LeaseLimits& limits) {
    Lease lease;
    std::size_t bytes = 0;
    while (!waiting_.empty() &&
           lease.batch().size() < std::max<std::size_t>(limits.events_max, 1)) {
        EventPtr& next = waiting_.front();
        const std::size_t next_bytes = next->payload().size();
        bytes += next_bytes;
        const bool is_first = lease.is_empty();
        if (!is_first && bytes > limits.bytes_max) break;
        // An envelope has one media type, so a batch ends where it changes (SPEC 5).
        if (!is_first && next->type() != lease.batch().front()->type()) break;
        waiting_bytes_ -= next_bytes;
        taken_bytes_ += next_bytes;
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
        if (how == Settle::done) taken_bytes_ -= event->payload().size();
    }
    if (how == Settle::done) return;
    const bool is_strict = order_ == Order::strict;
    const TimePoint order = is_strict ? TimePoint::min() : lease.not_before();
    returned_.add(std::move(lease), order);
}

std::vector<EventPtr> MemoryQueue::clear() {
    std::vector<EventPtr> events;
    returned_.take_all(events);
    for (const EventPtr& event : events) taken_bytes_ -= event->payload().size();
    events.insert(events.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    waiting_bytes_ = 0;
    std::sort(events.begin(), events.end(),
              [](const EventPtr& a, const EventPtr& b) { return a->seq() < b->seq(); });
    return events;
}

void MemoryQueue::release_held() {
    ReturnedLeases held = std::exchange(returned_, ReturnedLeases());
    while (!held.is_empty()) {
        Lease lease = held.take_front();
        lease.hold_until(TimePoint::min());
        returned_.add(std::move(lease), TimePoint::min());
    }
}

void MemoryQueue::adopt(Lease lease) {
    // In strict order what was given back goes before all that waits.
    const bool would_overtake = order_ == Order::strict && !waiting_.empty();
    if (!lease.has_story() || would_overtake) return Queue::adopt(std::move(lease));
    for (const EventPtr& event : lease.batch()) taken_bytes_ += event->payload().size();
    const TimePoint order = order_ == Order::strict ? TimePoint::min() : lease.not_before();
    returned_.add(std::move(lease), order);
}

std::size_t MemoryQueue::pending_events() const noexcept {
    return waiting_.size() + returned_.events() + leased_.size();
}

TimePoint MemoryQueue::oldest_accepted() const noexcept {
    TimePoint oldest = waiting_.empty() ? TimePoint::max() : waiting_.front()->accepted();
    for (const TimePoint accepted : leased_) oldest = std::min(oldest, accepted);
    return std::min(oldest, returned_.oldest_accepted());
}

}  // namespace fanfare
