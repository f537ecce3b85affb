#include "runtime/room.h"

#include <algorithm>

namespace fanfare {
namespace {

/// At most one of either kind of line per endpoint.
constexpr Duration interval = std::chrono::seconds(1);

/// Once it was full, a bound is one again below nine tenths (SPEC 12).
bool is_below(std::uint64_t used, std::uint64_t bound) noexcept {
    return bound == 0 || used < bound - bound / 10;
}

/// Counts are read one after the other, so that for a moment more may seem to have left than came.
std::uint64_t difference(std::uint64_t written, std::uint64_t left) noexcept {
    const std::uint64_t rest = written - left;
    return static_cast<std::int64_t>(rest) < 0 ? 0 : rest;
}

template <class Events>
Load sum_of(const Events& events) noexcept {
    Load load;
    load.events = events.size();
    for (const auto& event : events) load.bytes += event->payload().size();
    return load;
}

}  // namespace

Load& Load::operator+=(const Load& other) noexcept {
    events += other.events;
    bytes += other.bytes;
    return *this;
}

Load& Load::operator-=(const Load& other) noexcept {
    events -= other.events;
    bytes -= other.bytes;
    return *this;
}

Load load_of(Batch events) noexcept { return sum_of(events); }
Load load_of(std::span<const std::shared_ptr<Event>> events) noexcept { return sum_of(events); }

void Room::set_left(const Load& left) noexcept {
    left_events_.store(left.events, std::memory_order_relaxed);
    left_bytes_.store(left.bytes, std::memory_order_relaxed);
}

void RoomMeter::arrived(const Event& event) noexcept {
    if (!is_on_) return;
    ++arrived_.events;
    arrived_.bytes += event.payload().size();
}

/// What was in the queue before has not arrived: then the difference is below zero, which is right
/// modulo 2^64, as all of it is.
void RoomMeter::publish(const Queue& queue) noexcept {
    if (!is_on_) return;
    Load left = arrived_;
    left -= {queue.pending_events(), queue.pending_bytes()};
    room_.set_left(left);
}

void Rooms::add(const std::shared_ptr<Room>& room) {
    remove(*room);
    if (room->bounds_.overflow == Overflow::reject) rooms_.push_back(room);
}

void Rooms::change(const std::shared_ptr<Room>& room, const QueueBounds& bounds) {
    room->bounds_ = bounds;
    room->is_full_ = false;
    add(room);
}

void Rooms::remove(const Room& room) {
    std::erase_if(rooms_, [&](const auto& other) {
        return other.get() == &room || other->is_closed_.load(std::memory_order_relaxed);
    });
}

Load Rooms::in_use(const Room& room) noexcept {
    return {difference(room.written_.events, room.left_events_.load(std::memory_order_relaxed)),
            difference(room.written_.bytes, room.left_bytes_.load(std::memory_order_relaxed))};
}

bool Rooms::has_room(Room& room, const Load& load) const noexcept {
    const Load used = in_use(room);
    const QueueBounds& bounds = room.bounds_;
    const bool is_recovering = room.is_full_ && (!is_below(used.events, bounds.events_max) ||
                                                 !is_below(used.bytes, bounds.bytes_max));
    return !is_recovering && bounds.allow(used.events + load.events, used.bytes + load.bytes);
}

std::optional<NoRoom> Rooms::take(const Load& load) {
    for (const std::shared_ptr<Room>& room : rooms_) {
        if (room->is_closed_.load(std::memory_order_relaxed)) continue;
        if (!room->bounds_.allow(load.events, load.bytes)) return NoRoom{room->endpoint_, true};
        if (has_room(*room, load)) continue;
        NoRoom no_room{room->endpoint_, false};
        tell_full(*room);
        return no_room;
    }
    for (const std::shared_ptr<Room>& room : rooms_) {
        room->written_ += load;
        if (room->is_full_) tell_open(*room);
    }
    return std::nullopt;
}

void Rooms::tell_full(Room& room) {
    room.is_full_ = true;
    ++room.refused_;
    if (room.is_told_) return;
    const TimePoint now = clock_.now();
    if (room.told_at_ != TimePoint::min() && now - room.told_at_ < interval) return;
    room.is_told_ = true;
    room.told_at_ = now;
    const Load used = in_use(room);
    log_.warn("endpoint", "no room at an endpoint, senders are asked to wait",
              {{"endpoint", room.endpoint_}, {"events", used.events}, {"bytes", used.bytes}});
}

void Rooms::tell_open(Room& room) {
    room.is_full_ = false;
    if (!std::exchange(room.is_told_, false)) return;
    log_.info(
        "endpoint", "an endpoint has room again",
        {{"endpoint", room.endpoint_}, {"requests_refused", std::exchange(room.refused_, 0)}});
}

}  // namespace fanfare
