#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fanfare/broadcaster.h"
#include "fanfare/queue.h"

namespace fanfare {

/// Events, and the bytes of their payloads.
struct Load {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;

    Load& operator+=(const Load& other) noexcept;
    Load& operator-=(const Load& other) noexcept;
    bool operator==(const Load&) const = default;
};
Load load_of(Batch events) noexcept;
Load load_of(std::span<const std::shared_ptr<Event>> events) noexcept;

/// What an endpoint with `overflow: reject` has in use of its bounds: all that was written for it,
/// less what has left it. The first is kept by those who write, under one lock (see Rooms), the
/// second by the endpoint on its shard; here they meet.
class Room {
  public:
    Room(std::string endpoint, const QueueBounds& bounds)
        : endpoint_(std::move(endpoint)), bounds_(bounds) {}

    /// Shard: all that has left the endpoint so far, whatever became of it.
    void set_left(const Load& left) noexcept;
    /// Any thread: the endpoint has ended by itself, and holds up nobody any more.
    void close() noexcept { is_closed_.store(true, std::memory_order_relaxed); }

  private:
    friend class Rooms;

    const std::string endpoint_;
    std::atomic<std::uint64_t> left_events_{0};
    std::atomic<std::uint64_t> left_bytes_{0};
    std::atomic<bool> is_closed_{false};
    // The rest is guarded by the lock of the Rooms that it is in.
    QueueBounds bounds_;
    Load written_;
    bool is_full_ = false;  // nothing is taken until use is below nine tenths
    bool is_told_ = false;  // of that in the log
    TimePoint told_at_ = TimePoint::min();
    std::uint64_t refused_ = 0;  // requests, since it was told
};

/// The shard's side of a Room.
class RoomMeter {
  public:
    explicit RoomMeter(Room& room) : room_(room) {}

    /// From now on what comes is counted, or not; where it is, has the same place among the events
    /// as where Rooms begins or ends to count what is written.
    void turn(bool is_on) noexcept { is_on_ = is_on; }
    void arrived(const Event& event) noexcept;
    /// Tells the Room what `queue` has let go of.
    void publish(const Queue& queue) noexcept;

  private:
    Room& room_;
    bool is_on_ = false;
    Load arrived_;
};

/// The rooms of those endpoints that have events refused rather than dropped. Not thread-safe.
class Rooms {
  public:
    /// Both must outlive it.
    Rooms(Clock& clock, Log& log) : clock_(clock), log_(log) {}

    /// An endpoint joins, or is given other bounds.
    void add(const std::shared_ptr<Room>& room);
    void change(const std::shared_ptr<Room>& room, const QueueBounds& bounds);
    void remove(const Room& room);
    bool is_empty() const noexcept { return rooms_.empty(); }

    /// Takes so much room at all of them or, if one has not enough, at none and tells at which.
    std::optional<NoRoom> take(const Load& load);

  private:
    static Load in_use(const Room& room) noexcept;
    bool has_room(Room& room, const Load& load) const noexcept;
    void tell_full(Room& room);
    void tell_open(Room& room);

    Clock& clock_;
    Log& log_;
    std::vector<std::shared_ptr<Room>> rooms_;
};

}  // namespace fanfare
