#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/task_group.h"
#include "fanfare/broadcaster.h"

namespace fanfare {

/// The one door into a shard: events and commands, in one order. Behind it, the shard's endpoints.
/// push() may be called from any thread; the rest is the shard's.
class Shard::Inbox {
  public:
    using Command = std::function<void()>;

    explicit Inbox(Shard& shard);
    ~Inbox();

    /// After this, push() of as many events cannot fail.
    void reserve(std::size_t events);
    void push(std::span<const std::shared_ptr<Event>> events);
    /// Runs `command` on the shard once everything pushed before has been dispatched. `events`:
    /// that it deals with.
    void push(Command command, std::size_t events = 1);

    void add(std::shared_ptr<Endpoint> endpoint);
    void remove(const std::shared_ptr<Endpoint>& endpoint, Duration drain);
    std::vector<std::pair<std::uint64_t, EndpointSnapshot>> snapshot() const;
    /// Of those that have not been removed.
    std::vector<std::pair<std::uint64_t, EndpointFate>> fates(std::uint64_t seq) const;

    /// Drains every endpoint until `deadline`; calls `done` when all have ended.
    void drain(TimePoint deadline, std::function<void()> done);
    /// Ends those that still deliver.
    void cut_off();

  private:
    /// At most this many events in one turn of the loop, so that a burst holds nothing else up.
    static constexpr std::size_t events_per_turn_max = 1024;

    struct Item {
        EventPtr event;
        std::unique_ptr<Command> command;  // if there is no event
        std::size_t events = 1;
    };

    void wake() noexcept;
    void dispatch();
    void run(const Command& command);
    bool refill();
    void offer(const EventPtr& event);
    awaitable<void> retire(std::shared_ptr<Endpoint> endpoint, TimePoint deadline,
                           DropReason reason);
    awaitable<void> drain_all(TimePoint deadline, std::function<void()> done);
    awaitable<void> retire_all(TimePoint deadline);

    Shard& shard_;
    std::mutex mutex_;
    std::vector<Item> arriving_;  // guarded by mutex_
    bool is_awake_ = false;       // guarded by mutex_: a dispatch() is posted or runs
    std::vector<Item> working_;
    std::size_t next_ = 0;  // in working_
    std::vector<std::shared_ptr<Endpoint>> endpoints_;
    std::list<std::shared_ptr<Endpoint>> leaving_;  // still delivering what they have queued
    bool is_draining_ = false;
    TaskGroup retiring_;
    TaskGroup draining_;
};

}  // namespace fanfare
