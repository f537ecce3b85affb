#include <algorithm>

#include "fanfare/queue.h"

namespace fanfare {
namespace {

std::uint64_t seq_of(const Lease& lease) { return lease.batch().front()->seq(); }

}  // namespace

std::string_view to_string(Overflow overflow) noexcept {
    switch (overflow) {
        case Overflow::drop_oldest:
            return "drop_oldest";
        case Overflow::drop_newest:
            return "drop_newest";
        case Overflow::reject:
            return "reject";
        case Overflow::dead_letter:
            return "dead_letter";
    }
    return "unknown";
}

Lease Queue::remove_oldest() {
    Lease oldest = lease_accepted_by(TimePoint::max());
    if (!oldest.is_empty()) settle(oldest, Settle::done);
    return oldest;
}

void Queue::adopt(Lease lease) {
    for (const EventPtr& event : lease.batch()) push(event);
}

void Queue::start(QueueOwner& /*owner*/) {}

void Queue::set_order(std::unique_ptr<Queue> /*order*/) {}

std::vector<EventPtr> Queue::clear_all(std::function<void(std::optional<std::size_t>)> on_cleared) {
    std::vector<EventPtr> events = clear();
    on_cleared(0);
    return events;
}

std::function<void(const Event&)> Queue::skip(const Event& /*event*/) { return {}; }

std::function<void(const Event&)> Queue::settle_later(Lease lease) {
    settle(std::move(lease), Settle::done);
    return {};
}

void move_events(Queue& from, Queue& to) {
    const LeaseLimits one_by_one{1, SIZE_MAX, Duration::zero()};
    std::vector<Lease> stories;
    std::vector<EventPtr> others;
    for (;;) {
        Lease lease = from.lease(one_by_one, TimePoint::max());
        if (lease.is_empty()) break;
        if (lease.has_story()) {
            stories.push_back(lease);
        } else {
            others.insert(others.end(), lease.batch().begin(), lease.batch().end());
        }
        from.settle(std::move(lease), Settle::done);
    }
    std::sort(stories.begin(), stories.end(),
              [](const Lease& a, const Lease& b) { return seq_of(a) < seq_of(b); });
    std::sort(others.begin(), others.end(),
              [](const EventPtr& a, const EventPtr& b) { return a->seq() < b->seq(); });
    auto other = others.begin();
    for (Lease& lease : stories) {
        for (; other != others.end() && (*other)->seq() < seq_of(lease); ++other) to.push(*other);
        to.adopt(std::move(lease));
    }
    for (; other != others.end(); ++other) to.push(*other);
}

}  // namespace fanfare
