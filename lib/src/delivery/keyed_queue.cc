#include <algorithm>
#include <cassert>
#include <initializer_list>
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
    using Place = std::pair<std::uint64_t, std::uint64_t>;
    using Places = std::set<Place>;
    /// Times and keys.
    using Times = std::set<std::pair<TimePoint, std::uint64_t>>;
    /// An event under way.
    struct Leased {
        std::uint64_t key;
        TimePoint accepted;
    };

    explicit Impl(KeyOf function) : key_of(std::move(function)) {}

    /// The lane's next event may go, by its place among the others.
    void make_ready(std::uint64_t key, const Lane& lane);
    void release_held(TimePoint now);
    const Place* oldest(std::initializer_list<const Places*> sets) const noexcept;
    Lease lease(std::uint64_t key);
    Lane* oldest_behind_leased() noexcept;

    KeyOf key_of;
    std::unordered_map<std::uint64_t, Lane> lanes;
    Places untried;              // lanes whose next event may go
    Places again;                // the same, where it has come back
    Places held;                 // lanes whose returned lease may not go yet
    Times until;                 // the same, by when it may
    Times since;                 // of `again`, by when it might
    std::vector<Leased> leased;  // one per worker
    std::size_t events = 0;
    std::size_t bytes = 0;
};

void KeyedQueue::Impl::make_ready(std::uint64_t key, const Lane& lane) {
    const Place place(lane.next().seq(), key);
    if (lane.returned.is_empty()) {
        untried.insert(place);
    } else {
        again.insert(place);
        since.emplace(lane.returned.not_before(), key);
    }
}

void KeyedQueue::Impl::release_held(TimePoint now) {
    while (!until.empty() && until.begin()->first <= now) {
        const std::uint64_t key = until.begin()->second;
        const Lane& lane = lanes.at(key);
        make_ready(key, lane);
        held.erase({lane.next().seq(), key});
        until.erase(until.begin());
    }
}

/// The place of the oldest event in these; null if there is none.
const KeyedQueue::Impl::Place* KeyedQueue::Impl::oldest(
    std::initializer_list<const Places*> sets) const noexcept {
    const Place* oldest = nullptr;
    for (const Places* const places : sets) {
        if (places->empty()) continue;
        const Place& first = *places->begin();
        if (oldest == nullptr || first < *oldest) oldest = &first;
    }
    return oldest;
}

/// Of a lane that stands among the ready ones.
Lease KeyedQueue::Impl::lease(std::uint64_t key) {
    Lane& lane = lanes.at(key);
    Lease lease;
    if (lane.returned.is_empty()) {
        lease.add(lane.waiting.pop());
        lease.set_tag(key);
    } else {
        since.erase({lane.returned.not_before(), key});
        lease = std::exchange(lane.returned, Lease());
    }
    lane.is_leased = true;
    const Event& event = *lease.batch().front();
    leased.push_back({key, event.accepted()});
    untried.erase({event.seq(), key});
    again.erase({event.seq(), key});
    return lease;
}

/// The lane with the oldest of the events that wait for one of their key that is under way; null
/// if there is none.
KeyedQueue::Lane* KeyedQueue::Impl::oldest_behind_leased() noexcept {
    Lane* oldest = nullptr;
    for (const Leased& one : leased) {
        Lane& lane = lanes.at(one.key);
        if (lane.waiting.is_empty()) continue;
        const bool is_older =
            oldest == nullptr || lane.waiting.front()->seq() < oldest->waiting.front()->seq();
        if (is_older) oldest = &lane;
    }
    return oldest;
}

KeyedQueue::KeyedQueue(KeyOf key_of) : impl_(std::make_unique<Impl>(std::move(key_of))) {}

KeyedQueue::~KeyedQueue() = default;

void KeyedQueue::push(EventPtr event) {
    const std::uint64_t key = impl_->key_of(*event);
    const std::size_t bytes = event->payload().size();
    const auto [found, is_new] = impl_->lanes.try_emplace(key);
    try {
        found->second.waiting.push(std::move(event));
        if (is_new) impl_->make_ready(key, found->second);
    } catch (...) {
        if (is_new) impl_->lanes.erase(found);
        throw;
    }
    impl_->bytes += bytes;
    ++impl_->events;
}

TimePoint KeyedQueue::ready_at(const LeaseLimits&) const noexcept {
    if (!impl_->untried.empty() || !impl_->again.empty()) return TimePoint::min();
    return impl_->until.empty() ? TimePoint::max() : impl_->until.begin()->first;
}

Lease KeyedQueue::lease(const LeaseLimits& limits, TimePoint now) {
    impl_->release_held(now);
    const auto* place = impl_->oldest({&impl_->untried});
    if (limits.untried_first) {
        if (place != nullptr) return impl_->lease(place->second);
        // Then the one that has waited longest, which is not always the same.
        return impl_->since.empty() ? Lease() : impl_->lease(impl_->since.begin()->second);
    }
    place = impl_->oldest({&impl_->untried, &impl_->again});
    return place == nullptr ? Lease() : impl_->lease(place->second);
}

TimePoint KeyedQueue::oldest_waiting() const noexcept {
    const auto* const oldest = impl_->oldest({&impl_->untried, &impl_->again, &impl_->held});
    if (oldest == nullptr) return TimePoint::max();
    return impl_->lanes.at(oldest->second).next().accepted();
}

Lease KeyedQueue::lease_accepted_by(TimePoint time) {
    const auto* const oldest = impl_->oldest({&impl_->untried, &impl_->again, &impl_->held});
    if (oldest == nullptr || oldest_waiting() > time) return {};
    const auto [seq, key] = *oldest;
    if (impl_->held.erase({seq, key}) > 0) {
        const Lane& lane = impl_->lanes.at(key);
        impl_->until.erase({lane.returned.not_before(), key});
        impl_->make_ready(key, lane);
    }
    return impl_->lease(key);
}

void KeyedQueue::settle(Lease lease, Settle how) {
    const Event& event = *lease.batch().front();
    const std::uint64_t key = lease.tag();
    Lane& lane = impl_->lanes.at(key);
    assert(lane.is_leased && lane.returned.is_empty());
    lane.is_leased = false;
    const auto leased = std::find_if(impl_->leased.begin(), impl_->leased.end(),
                                     [key](const Impl::Leased& one) { return one.key == key; });
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
        impl_->make_ready(key, lane);
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
    impl_->untried.clear();
    impl_->again.clear();
    impl_->held.clear();
    impl_->until.clear();
    impl_->since.clear();
    for (const EventPtr& event : events) impl_->bytes -= event->payload().size();
    impl_->events -= events.size();
    return events;
}

Lease KeyedQueue::remove_oldest() {
    Lane* const behind = impl_->oldest_behind_leased();
    const auto* const free = impl_->oldest({&impl_->untried, &impl_->again, &impl_->held});
    const bool is_behind =
        behind != nullptr && (free == nullptr || behind->waiting.front()->seq() < free->first);
    if (!is_behind) return Queue::remove_oldest();
    Lease oldest;
    oldest.add(behind->waiting.pop());
    impl_->bytes -= oldest.batch().front()->payload().size();
    --impl_->events;
    return oldest;
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
    for (const Impl::Leased& leased : impl_->leased) oldest = std::min(oldest, leased.accepted);
    return oldest;
}

}  // namespace fanfare
