#pragma once

#include <atomic>
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
#include "runtime/event_fates.h"
#include "runtime/health_news.h"
#include "runtime/room.h"

namespace fanfare {

/// What an endpoint is made of. Its workers, coroutines, share one queue and one gate: each takes a
/// lease when both let it, makes one attempt, and does with the lease what decide() says. Nobody
/// holds an event while it waits: that is the queue's part.
class Endpoint::Impl : private QueueOwner {
  public:
    Impl(Shard& shard, EndpointOptions options, Room& room);
    ~Impl() override;

    void start();
    void offer(const EventPtr& event);
    void take(const EventPtr& event, Interest interest);
    void requeue(std::span<const Replayed> events);
    void take_meta(const EventPtr& event);
    void not_requeued(std::span<const Replayed> events);
    void drain();
    void leave();
    void abort();
    awaitable<void> join(DropReason reason);
    void pause();
    void resume();
    void hold(Duration how_long);
    void take_gone();
    void take_back();
    void down_elsewhere(Duration ago);
    void up_elsewhere();
    void reconfigure(EndpointOptions options);
    std::size_t purge();
    void purge(std::function<void(std::optional<std::size_t>)> on_purged);
    awaitable<Outcome> test(EventPtr ping);
    EndpointSnapshot snapshot() const;
    std::vector<AttemptRecord> attempts(std::size_t limit) const;
    EndpointFate fate(std::uint64_t seq) const;
    bool is_gone() const noexcept { return is_gone_.load(std::memory_order_relaxed); }

    std::function<void()> on_closed;

  private:
    /// Leaving: only what is under way goes on.
    enum class State { running, draining, leaving, ended };
    /// What a worker works with.
    struct Tool {
        std::unique_ptr<Sink> sink;
        unsigned settings = 0;  // that it was made by; see settings_
    };

    using LetGo = std::function<void(const Event&)>;

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
        LetGo settle_later();

        Lease lease;  // empty once settled

      private:
        void release() noexcept;

        Queue& queue_;
        Load& under_way_;
        Load load_;
    };

    /// What a ping has come to. Shared, as who asked may be gone by then.
    struct Ping;

    // What the queue has to say.
    void on_ready() override;
    void on_corrupt(std::size_t events) override;
    bool on_arrival(const Arrival& arrival) override;
    LeaseLimits limits() const noexcept override;
    Duration longest_wait() const noexcept override;

    SinkContext sink_context();
    void spawn_worker(Tool tool);
    void renew(Tool& tool);
    bool is_one_too_many();
    void take_settings(EndpointOptions options);
    void remake_queue();
    awaitable<void> work(Tool tool);
    awaitable<void> work_until_ended(Tool& tool);
    bool wants(const Event& event) const;
    Interest interest_in(const Arrival& arrival) const noexcept;
    void let_in(const Arrival& arrival);
    bool take_in(const EventPtr& event);
    bool enqueue(const EventPtr& event);
    bool requeue_one(const EventPtr& event);
    bool fits(const Event& event) const noexcept;
    bool make_room(const EventPtr& event);
    bool can_make_room(const Event& event) const noexcept;
    bool is_within_bounds() const noexcept;
    bool loses_oldest() const noexcept;
    bool lose_oldest();
    void lose_newest(const EventPtr& event);
    void drop(Batch batch);
    void begin_trim();
    awaitable<void> trim();
    void note_lost(const EventPtr& event, const std::exception_ptr& exception);
    void see_to_others(TimePoint now);
    std::optional<RetryGate::Pass> may_begin(TimePoint now);
    bool is_done() const noexcept;

    /// `is_outdated`: the attempt was made with other settings than there are now.
    void conclude(Held& held, RetryGate::Pass pass, const Outcome& outcome, TimePoint started,
                  bool is_outdated);
    void tell_of_hold(TimePoint now);
    void tell_of_failure(TimePoint now);
    void tell_of_success();
    bool is_in_trouble() const noexcept;
    void settle_health();
    TimePoint settles_at(TimePoint now);
    void recover(TimePoint now);
    void note_result(const Attempt& attempt, const Outcome& outcome, const Decision& decision);
    void carry_out(const Decision& decision, Held& held, TimePoint now);
    void deliver(Held& held, TimePoint now);
    void try_again(Held& held, TimePoint now);
    void split(Held& held);
    void disable(Held& held);
    void close();

    bool give_up_overdue(TimePoint now);
    TimePoint overdue_at() const noexcept;
    void give_up(Held& held, DeadReason reason);
    void give_up(const Lease& given_up, DeadReason reason, const LetGo& let_go);
    DeadLetter letter_of(const EventPtr& event, const Lease& story, DeadReason reason) const;
    void discard_letters(Batch batch);
    std::vector<std::int64_t> take_letters(Batch batch);
    std::size_t keep_letters(Batch dropped);
    void end_letters(Batch dropped, DropReason reason);
    std::size_t drop_pending(DropReason reason);
    void note_dropped(std::vector<EventPtr> events, Load load, DropReason reason);
    void end_queue(DropReason reason);
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
    const bool is_shared_;  // with other processes: events come to the queue by themselves
    bool must_remake_queue_ = false;  // for another order, once nothing is leased
    unsigned settings_ = 1;           // counts them: those that are in effect
    unsigned worker_count_ = 0;
    EndpointMetrics metrics_;
    RetryGate gate_;
    AttemptLog log_;
    HealthNews news_;
    DropLog overflow_log_;
    DropLog lost_log_;
    RoomMeter meter_;
    Load under_way_;
    AttemptHistory history_;
    EventFates fates_;
    std::minstd_rand random_;
    State state_ = State::running;
    std::atomic<bool> is_gone_{false};  // written on the shard
    TimePoint gone_at_{};               // meaningful if it is
    bool is_trimming_ = false;
    std::unordered_map<std::uint64_t, std::int64_t> letters_;  // by seq: of events replayed
    unsigned in_flight_ = 0;
    bool is_backlogged_ = false;
    bool is_hold_told_ = false;
    bool is_success_asked_for_ = false;  // by some process, perhaps this one
    bool is_settling_ = false;           // health_alarm_ is set
    TimePoint last_failure_{};           // of an attempt that counts
    TimePoint up_elsewhere_{};           // when that was told last
    std::unique_ptr<Alarm> health_alarm_;
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
