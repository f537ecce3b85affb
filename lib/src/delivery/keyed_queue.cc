#include <algorithm>
#include <cassert>
#include <iterator>
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
        const auto first = events_.begin() + static_cast<std::ptrdiff_t>(head_);
        std::move(first, events_.end(), std::back_inserter(events));
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

    /// Of a lane that is not leased.
    const Event& next() const noexcept {
        return returned.is_empty() ? *waiting.front() : *returned.batch().front();
    }
};

class KeyedQueue::Impl {
  public:
    /// Seqs and keys, so oldest first.
    using Places = std::set<std::pair<std::uint64_t, std::uint64_t>>;

    explicit Impl(KeyOf function) : key_of(std::move(function)) {}

    /// The lane's next event may go, by its place among the others.
    void make_ready(std::uint64_t key, const Event& next) { ready.emplace(next.seq(), key); }
    void release_held(TimePoint now);
    const std::pair<std::uint64_t, std::uint64_t>* oldest() const noexcept;
    Lease lease(std::uint64_t key);

    KeyOf key_of;
    std::unordered_map<std::uint64_t, Lane> lanes;
    Places ready;
    Places held;  // lanes whose returned lease may not go yet
    std::set<std::pair<TimePoint, std::uint64_t>> until;  // the same, by when it may
    std::vector<TimePoint> leased;  // when the events under way were accepted; one per worker
    std::size_t events = 0;
    std::size_t bytes = 0;
};

void KeyedQueue::Impl::release_held(TimePoint now) {
    while (!until.empty() && until.begin()->first <= now) {
        const std::uint64_t key = until.begin()->second;
        const Event& next = lanes.at(key).next();
        make_ready(key, next);
        held.erase({next.seq(), key});
        until.erase(until.begin());
    }
}

/// The place of the oldest event that is not leased; null if there is none.
const std::pair<std::uint64_t, std::uint64_t>* KeyedQueue::Impl::oldest() const noexcept {
    if (ready.empty() && held.empty()) return nullptr;
    if (held.empty()) return &*ready.begin();
    if (ready.empty()) return &*held.begin();
    return std::min(&*ready.begin(), &*held.begin(),
                    [](const auto* a, const auto* b) { return *a < *b; });
}

/// Of a lane that stands among the ready ones.
Lease KeyedQueue::Impl::lease(std::uint64_t key) {
    Lane& lane = lanes.at(key);
    Lease lease;
    if (lane.returned.is_empty()) {
        lease.add(lane.waiting.pop());
        lease.set_tag(key);
    } else {
        lease = std::exchange(lane.returned, Lease());
    }
    lane.is_leased = true;
    const Event& event = *lease.batch().front();
    leased.push_back(event.accepted());
    ready.erase({event.seq(), key});
    return lease;
}

KeyedQueue::KeyedQueue(KeyOf key_of) : impl_(std::make_unique<Impl>(std::move(key_of))) {}

KeyedQueue::~KeyedQueue() = default;

void KeyedQueue::push(EventPtr event) {
    const std::uint64_t key = impl_->key_of(*event);
    const Event& pushed = *event;
    const auto [found, is_new] = impl_->lanes.try_emplace(key);
    try {
        found->second.waiting.push(std::move(event));
        if (is_new) impl_->make_ready(key, pushed);
    } catch (...) {
        if (is_new) impl_->lanes.erase(found);
        throw;
    }
    impl_->bytes += pushed.payload().size();
    ++impl_->events;
}

TimePoint KeyedQueue::ready_at(const LeaseLimits&) const noexcept {
    if (!impl_->ready.empty()) return TimePoint::min();
    return impl_->until.empty() ? TimePoint::max() : impl_->until.begin()->first;
}

Lease KeyedQueue::lease(const LeaseLimits&, TimePoint now) {
    impl_->release_held(now);
    if (impl_->ready.empty()) return {};
    return impl_->lease(impl_->ready.begin()->second);
}

TimePoint KeyedQueue::oldest_waiting() const noexcept {
    const auto* const oldest = impl_->oldest();
    if (oldest == nullptr) return TimePoint::max();
    return impl_->lanes.at(oldest->second).next().accepted();
}

Lease KeyedQueue::lease_accepted_by(TimePoint time) {
    const auto* const oldest = impl_->oldest();
    if (oldest == nullptr || oldest_waiting() > time) return {};
    const auto [seq, key] = *oldest;
    if (impl_->held.erase({seq, key}) > 0) {
        const Lane& lane = impl_->lanes.at(key);
        impl_->until.erase({lane.returned.not_before(), key});
        impl_->make_ready(key, lane.next());
    }
    return impl_->lease(key);
}

void KeyedQueue::settle(Lease lease, Settle how) {
    const Event& event = *lease.batch().front();
    const std::uint64_t key = lease.tag();
    Lane& lane = impl_->lanes.at(key);
    assert(lane.is_leased && lane.returned.is_empty());
    lane.is_leased = false;
    const auto leased = std::find(impl_->leased.begin(), impl_->leased.end(), event.accepted());
    assert(leased != impl_->leased.end());
    *leased = impl_->leased.back();
    impl_->leased.pop_back();
    if (how == Settle::give_back) {
        impl_->until.emplace(lease.not_before(), key);
        impl_->held.emplace(event.seq(), key);
        lane.returned = std::move(lease);
        return;
    }
    impl_->bytes -= event.payload().size();
    --impl_->events;
    if (lane.waiting.is_empty()) {
        impl_->lanes.erase(key);
    } else {
        impl_->make_ready(key, lane.next());
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
    impl_->until.clear();
    for (const EventPtr& event : events) impl_->bytes -= event->payload().size();
    impl_->events -= events.size();
    return events;
}

void KeyedQueue::release_held() {
    for (const auto& [at, key] : impl_->until) {
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
    impl_->until.emplace(lease.not_before(), key);
    impl_->held.emplace(event->seq(), key);
    lease.set_tag(key);
    lane.returned = std::move(lease);
}

std::size_t KeyedQueue::pending_events() const noexcept { return impl_->events; }

std::size_t KeyedQueue::pending_bytes() const noexcept { return impl_->bytes; }

TimePoint KeyedQueue::oldest_accepted() const noexcept {
    TimePoint oldest = oldest_waiting();
    for (const TimePoint accepted : impl_->leased) oldest = std::min(oldest, accepted);
    return oldest;
}

}  // namespace fanfare
