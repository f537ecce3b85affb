#include <algorithm>
#include <cassert>
#include <iterator>

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
    const bool can_pass = order_ == Order::free && limits.linger <= Duration::zero();
    const bool is_passed = limits.untried_first && can_pass && !waiting_.empty();
    if (!is_passed && !returned_.is_empty() && returned_.front().not_before() <= now) {
        return note(returned_.take_front());
    }
    const bool is_held_up = !returned_.is_empty() && order_ == Order::strict;
    if (is_held_up || ready_at(limits) > now) return {};
    return note(form(limits));
}

TimePoint MemoryQueue::oldest_waiting() const noexcept {
    const TimePoint fresh = waiting_.empty() ? TimePoint::max() : waiting_.front()->accepted();
    return std::min(fresh, returned_.oldest_lease());
}

Lease MemoryQueue::lease_accepted_by(TimePoint time) {
    const TimePoint oldest = oldest_waiting();
    if (oldest > time || pending_events() == 0) return {};
    if (oldest == returned_.oldest_lease()) {
        return returned_.is_empty() ? Lease() : note(returned_.take_oldest());
    }
    return note(form({}));
}

/// From now on it is leased.
Lease MemoryQueue::note(Lease lease) {
    if (lease.is_empty()) return lease;
    lease.set_tag(++last_tag_);
    leased_.push_back({last_tag_, lease.batch().size(), lease.batch().front()->accepted()});
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
        ++taken_events_;
        lease.add(std::move(next));
        waiting_.pop_front();
    }
    return lease;
}

void MemoryQueue::settle(Lease lease, Settle how) {
    const auto found = std::find_if(leased_.begin(), leased_.end(), [&](const Leased& leased) {
        return leased.tag == lease.tag();
    });
    assert(found != leased_.end() && found->events >= lease.batch().size());
    found->events -= lease.batch().size();
    if (found->events == 0) {
        *found = leased_.back();
        leased_.pop_back();
    }
    if (how == Settle::done) {
        for (const EventPtr& event : lease.batch()) taken_bytes_ -= event->payload().size();
        taken_events_ -= lease.batch().size();
        return;
    }
    const bool is_strict = order_ == Order::strict;
    const TimePoint order = is_strict ? TimePoint::min() : lease.not_before();
    returned_.add(std::move(lease), order);
}

std::vector<EventPtr> MemoryQueue::clear() {
    std::vector<EventPtr> events;
    events.reserve(returned_.events() + waiting_.size());
    returned_.take_all(events);
    for (const EventPtr& event : events) taken_bytes_ -= event->payload().size();
    taken_events_ -= events.size();
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(events));
    waiting_.clear();
    waiting_bytes_ = 0;
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
    taken_events_ += lease.batch().size();
    const TimePoint order = order_ == Order::strict ? TimePoint::min() : lease.not_before();
    returned_.add(std::move(lease), order);
}

std::size_t MemoryQueue::pending_events() const noexcept { return waiting_.size() + taken_events_; }

TimePoint MemoryQueue::oldest_accepted() const noexcept {
    TimePoint oldest = waiting_.empty() ? TimePoint::max() : waiting_.front()->accepted();
    for (const Leased& leased : leased_) oldest = std::min(oldest, leased.oldest_accepted);
    return std::min(oldest, returned_.oldest_accepted());
}

}  // namespace fanfare
