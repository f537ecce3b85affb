#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <unordered_map>
#include <vector>

#include "base/task_group.h"
#include "base/wakeup.h"
#include "fanfare/broadcaster.h"
#include "runtime/attempt_history.h"
#include "runtime/attempt_log.h"
#include "runtime/drop_log.h"
#include "runtime/room.h"

namespace fanfare {

/// What an endpoint is made of. Its workers, coroutines, share one queue and one gate: each takes a
/// lease when both let it, makes one attempt, and does with the lease what decide() says. Nobody
/// holds an event while it waits: that is the queue's part.
class Endpoint::Impl {
  public:
    Impl(Shard& shard, EndpointOptions options, Room& room);

    void start();
    void offer(const EventPtr& event);
    void requeue(std::span<const Replayed> events);
    void drain();
    void abort();
    awaitable<void> join(DropReason reason);
    void pause();
    void resume();
    void reconfigure(EndpointOptions options);
    std::size_t purge();
    awaitable<Outcome> test(EventPtr ping);
    EndpointSnapshot snapshot() const;
    std::vector<AttemptRecord> attempts(std::size_t limit) const;
    const Filter* filter() const noexcept { return options_.filter.get(); }

    std::function<void()> on_closed;

  private:
    enum class State { running, draining, ended };
    /// What a worker works with.
    struct Tool {
        std::unique_ptr<Sink> sink;
        unsigned settings = 0;  // that it was made by; see settings_
    };

    /// A lease under way. Goes back to the queue if nothing else has become of it.
    class Held {
      public:
        /// `under_way`: the sum over all that are held.
        Held(Queue& queue, Lease leased, Load& under_way);
        ~Held();
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;

        Batch batch() const noexcept { return lease.batch(); }
        void settle(Settle how);

        Lease lease;  // empty once settled

      private:
        void release() noexcept;

        Queue& queue_;
        Load& under_way_;
        Load load_;
    };

    /// What a ping has come to. Shared, as who asked may be gone by then.
    struct Ping;

    SinkContext sink_context();
    void spawn_worker(Tool tool);
    void renew(Tool& tool);
    bool is_one_too_many();
    void take_settings(EndpointOptions options);
    void remake_queue();
    awaitable<void> work(Tool tool);
    awaitable<void> work_until_ended(Tool& tool);
    bool wants(const Event& event) const;
    bool take_in(const EventPtr& event);
    bool enqueue(const EventPtr& event);
    bool requeue_one(const EventPtr& event);
    bool fits(const Event& event) const noexcept;
    bool make_room(const EventPtr& event);
    bool can_make_room(const Event& event) const noexcept;
    bool is_within_bounds() const noexcept;
    bool loses_oldest() const noexcept;
    void lose(Batch batch, const Lease& story);
    awaitable<void> trim();
    void note_lost(const EventPtr& event, const std::exception_ptr& exception);
    void see_to_others(TimePoint now);
    std::optional<RetryGate::Pass> may_begin(TimePoint now);
    LeaseLimits limits() const noexcept;
    bool is_done() const noexcept;

    void conclude(Held& held, RetryGate::Pass pass, const Outcome& outcome, TimePoint started);
    void carry_out(const Decision& decision, Held& held, TimePoint now);
    void deliver(Held& held, TimePoint now);
    void try_again(Held& held, TimePoint now);
    void split(Held& held);
    void disable(Held& held);
    void close();

    bool give_up_overdue(TimePoint now);
    TimePoint overdue_at() const noexcept;
    void give_up(Held& held, DeadReason reason);
    void give_up(Batch batch, const Lease& story, DeadReason reason);
    void put_letter(const EventPtr& event, const Lease& story, DeadReason reason);
    void discard_letters(Batch batch);
    std::vector<std::int64_t> take_letters(Batch batch);
    std::size_t keep_letters(Batch dropped);
    void end_letters(Batch dropped, DropReason reason);
    std::size_t drop_pending(DropReason reason);
    awaitable<void> release(std::vector<EventPtr> events);
    awaitable<void> make_ping(std::shared_ptr<Ping> ping);

    void wake_for_push();
    void wake_one();
    void wake_all();
    void wake_at(TimePoint at);
    void set_backlogged(bool is_backlogged);
    void note_exception(const std::exception_ptr& exception);

    static constexpr unsigned turns_at_once_max = 256;
    static constexpr std::size_t events_at_once_max = 1024;
    /// After a failure of the machinery itself, memory say, before a worker goes on.
    static constexpr Duration breather = std::chrono::seconds(1);

    Shard& shard_;
    EndpointOptions options_;
    const bool has_own_queue_;
    std::unique_ptr<Queue> queue_;
    bool must_remake_queue_ = false;  // for another order, once nothing is leased
    unsigned settings_ = 1;           // counts them: those that are in effect
    unsigned worker_count_ = 0;
    EndpointMetrics metrics_;
    RetryGate gate_;
    AttemptLog log_;
    DropLog overflow_log_;
    DropLog lost_log_;
    RoomMeter meter_;
    Load under_way_;
    AttemptHistory history_;
    std::minstd_rand random_;
    State state_ = State::running;
    bool is_gone_ = false;
    bool is_trimming_ = false;
    std::unordered_map<std::uint64_t, std::int64_t> letters_;  // by seq: of events replayed
    unsigned in_flight_ = 0;
    bool is_backlogged_ = false;
    bool is_held_ = false;          // the gate lets nobody pass until something happens
    bool is_waiting_ = false;       // the queue has something for later
    std::vector<Wakeup*> idle_;     // the last to fall idle is woken first: its connection is warm
    std::unique_ptr<Alarm> alarm_;  // wakes a worker; made when first needed
    TimePoint alarm_at_ = TimePoint::max();
    TaskGroup tasks_;
    TaskGroup pings_;
    TaskGroup workers_;
};

/// What `options` wants of defaults and bounds.
EndpointOptions with_defaults(EndpointOptions options);

/// A queue in memory in the order that `options` asks for.
std::unique_ptr<Queue> make_queue(const EndpointOptions& options);

}  // namespace fanfare
