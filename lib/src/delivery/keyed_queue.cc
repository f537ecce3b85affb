#include <algorithm>
#include <cassert>
#include <set>
#include <unordered_map>

#include "fanfare/queue.h"

namespace fanfare {
namespace {

/// First in, first out in one piece of memory, because most keys have one or two events waiting
/// and a std::deque takes half a kilobyte for the first.
class Fifo {
  public:
    bool is_empty() const noexcept { return head_ == events_.size(); }
    const EventPtr& front() const noexcept { return events_[head_]; }
    void push(EventPtr event) { events_.push_back(std::move(event)); }

    EventPtr pop() {
        EventPtr event = std::move(events_[head_++]);
        if (head_ * 2 > events_.size()) {
            events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
        return event;
    }

    void take_all(std::vector<EventPtr>& events) {
        events.insert(events.end(), events_.begin() + static_cast<std::ptrdiff_t>(head_),
                      events_.end());
        events_.clear();
        head_ = 0;
    }

  private:
    boost::container::small_vector<EventPtr, 1> events_;
    std::size_t head_ = 0;
};

}  // namespace

/// The events of one key. There is a lane as long as there are any.
struct KeyedQueue::Lane {
    Fifo waiting;
    Lease returned;  // empty: none
    bool is_leased = false;
    TimePoint accepted{};  // of the event that is leased or was returned

    TimePoint oldest_accepted() const noexcept {
        return is_leased || !returned.is_empty() ? accepted : waiting.front()->accepted();
    }
};

class KeyedQueue::Impl {
  public:
    explicit Impl(KeyOf function) : key_of(std::move(function)) {}

    /// The lane's next event may go, by its place among the others.
    void make_ready(std::uint64_t key, const Event& next) { ready.emplace(next.seq(), key); }
    void release_held(TimePoint now);

    KeyOf key_of;
    std::unordered_map<std::uint64_t, Lane> lanes;
    std::set<std::pair<std::uint64_t, std::uint64_t>> ready;  // seq and key
    std::multimap<TimePoint, std::uint64_t> held;             // keys of returned leases
    std::size_t events = 0;
    std::size_t bytes = 0;
};

void KeyedQueue::Impl::release_held(TimePoint now) {
    while (!held.empty() && held.begin()->first <= now) {
        const std::uint64_t key = held.begin()->second;
        make_ready(key, *lanes.at(key).returned.batch().front());
        held.erase(held.begin());
    }
}

KeyedQueue::KeyedQueue(KeyOf key_of) : impl_(std::make_unique<Impl>(std::move(key_of))) {}

KeyedQueue::~KeyedQueue() = default;

void KeyedQueue::push(EventPtr event) {
    const std::uint64_t key = impl_->key_of(*event);
    impl_->bytes += event->payload().size();
    ++impl_->events;
    const auto [found, is_new] = impl_->lanes.try_emplace(key);
    if (is_new) impl_->make_ready(key, *event);
    found->second.waiting.push(std::move(event));
}

TimePoint KeyedQueue::ready_at(const LeaseLimits&) const noexcept {
    if (!impl_->ready.empty()) return TimePoint::min();
    return impl_->held.empty() ? TimePoint::max() : impl_->held.begin()->first;
}

Lease KeyedQueue::lease(const LeaseLimits&, TimePoint now) {
    impl_->release_held(now);
    Lease lease;
    if (impl_->ready.empty()) return lease;
    const std::uint64_t key = impl_->ready.begin()->second;
    Lane& lane = impl_->lanes.at(key);
    impl_->ready.erase(impl_->ready.begin());
    if (lane.returned.is_empty()) {
        lease.add(lane.waiting.pop());
        lease.set_tag(key);
    } else {
        lease = std::exchange(lane.returned, Lease());
    }
    lane.is_leased = true;
    lane.accepted = lease.batch().front()->accepted();
    return lease;
}

void KeyedQueue::settle(Lease lease, Settle how) {
    const Event& event = *lease.batch().front();
    const std::uint64_t key = lease.tag();
    Lane& lane = impl_->lanes.at(key);
    assert(lane.is_leased && lane.returned.is_empty());
    lane.is_leased = false;
    if (how == Settle::give_back) {
        impl_->held.emplace(lease.not_before(), key);
        lane.returned = std::move(lease);
        return;
    }
    impl_->bytes -= event.payload().size();
    --impl_->events;
    if (lane.waiting.is_empty()) {
        impl_->lanes.erase(key);
    } else {
        impl_->make_ready(key, *lane.waiting.front());
    }
}

std::vector<EventPtr> KeyedQueue::clear() {
    std::vector<EventPtr> events;
    for (auto lane = impl_->lanes.begin(); lane != impl_->lanes.end();) {
        const Batch returned = lane->second.returned.batch();
        events.insert(events.end(), returned.begin(), returned.end());
        lane->second.returned = Lease();
        lane->second.waiting.take_all(events);
        lane = lane->second.is_leased ? std::next(lane) : impl_->lanes.erase(lane);
    }
    impl_->ready.clear();
    impl_->held.clear();
    for (const EventPtr& event : events) impl_->bytes -= event->payload().size();
    impl_->events -= events.size();
    std::sort(events.begin(), events.end(),
              [](const EventPtr& a, const EventPtr& b) { return a->seq() < b->seq(); });
    return events;
}

void KeyedQueue::release_held() {
    for (const auto& [at, key] : impl_->held) {
        impl_->lanes.at(key).returned.hold_until(TimePoint::min());
    }
    impl_->release_held(TimePoint::max());
}

void KeyedQueue::adopt(Lease lease) {
    const EventPtr& event = lease.batch().front();
    const std::uint64_t key = impl_->key_of(*event);
    // Leases hold one event here, and what has a story is the first of its lane.
    const bool fits = lease.has_story() && lease.batch().size() == 1;
    if (!fits || impl_->lanes.contains(key)) return Queue::adopt(std::move(lease));
    Lane& lane = impl_->lanes[key];
    impl_->bytes += event->payload().size();
    ++impl_->events;
    lane.accepted = event->accepted();
    impl_->held.emplace(lease.not_before(), key);
    lease.set_tag(key);
    lane.returned = std::move(lease);
}

std::size_t KeyedQueue::pending_events() const noexcept { return impl_->events; }

std::size_t KeyedQueue::pending_bytes() const noexcept { return impl_->bytes; }

TimePoint KeyedQueue::oldest_accepted() const noexcept {
    TimePoint oldest = TimePoint::max();
    for (const auto& entry : impl_->lanes) {
        oldest = std::min(oldest, entry.second.oldest_accepted());
    }
    return oldest;
}

}  // namespace fanfare
