#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fanfare/dead_letters.h"
#include "fanfare/filter.h"
#include "fanfare/metrics.h"
#include "fanfare/queue.h"
#include "fanfare/retry.h"
#include "fanfare/sink_maker.h"

namespace fanfare {

class EndpointNews;
class Room;
class Shard;

/// Who hears what attempts have shown of a receiver that other processes need to know, which work
/// off the same queue. Shard's thread; must not block.
class HoldNews {
  public:
    virtual ~HoldNews() = default;
    /// It is best left alone for so long. Again after each attempt that shows it.
    virtual void held(std::string_view endpoint, Duration how_long) noexcept = 0;
    /// It takes events again.
    virtual void let_go(std::string_view endpoint) noexcept = 0;

    /// It has answered 410 for good, just now.
    virtual void gone(std::string_view endpoint) noexcept = 0;
    /// It is to be tried again, as there are new settings.
    virtual void back(std::string_view endpoint) noexcept = 0;

    /// Too many attempts in a row have failed here, the last one so long ago: who has delivered to
    /// it since, or does, is to tell.
    virtual void down(std::string_view endpoint, Duration ago) noexcept = 0;
    /// It has taken an event, which some process has asked for.
    virtual void up(std::string_view endpoint) noexcept = 0;
};

/// One endpoint's chain: filter → queue → workers, each with a sink of its own.
struct EndpointOptions {
    std::string name;            ///< the `endpoint` label; unique within a Broadcaster
    unsigned max_in_flight = 1;  ///< workers; 1 keeps strict order. Range [1, 1024]
    LeaseLimits batch;           ///< more than one event needs max_in_flight 1 and no order_by
    /// A JSON pointer into the events: those with the same value there keep their order, whatever
    /// max_in_flight. Events without one keep theirs. Empty: no such order.
    std::string order_by;
    QueueBounds bounds;  ///< of what is pending
    RetryPolicy retry;
    std::shared_ptr<const Filter> filter;     ///< null: wants everything
    std::unique_ptr<Queue> queue;             ///< null: in memory, in the order asked for above
    std::int64_t store_id = 0;                ///< of a durable queue: the endpoint's in its store
    std::unique_ptr<RetryStrategy> strategy;  ///< null: what `retry` says
    SinkMaker make_sink;                      ///< must be set
    /// Where events go that are given up; null: nowhere. Must outlive the endpoint.
    DeadLetterBox* dead_letters = nullptr;
    /// Events of Fanfare's own are offered, too; ordinary endpoints never get them.
    bool asks_for_meta = false;
    /// Who hears how the endpoint fares; null: nobody. Must outlive the endpoint.
    EndpointNews* news = nullptr;
    HoldNews* holds = nullptr;      ///< null: nobody. Must outlive the endpoint
    Duration first_hold{};          ///< as if by hold() at the start
    std::uint32_t random_seed = 0;  ///< of the jitter; 0: a random one
};

/// The state of an endpoint at one moment; see Broadcaster::snapshot.
struct EndpointSnapshot {
    std::string name;
    EndpointMetrics metrics;
    std::uint64_t pending_events = 0;     ///< waiting or in flight; in all processes, if `shared`
    std::uint64_t pending_bytes = 0;      ///< of those in this process
    std::optional<SharedFigures> shared;  ///< if other processes work off the same queue
    std::uint64_t in_flight_requests = 0;
    Duration oldest_pending{};  ///< age of the oldest pending event; zero if there is none
    bool is_breaker_open = false;
    bool is_paused = false;  ///< by an operator
    Duration pause_left{};   ///< that the receiver asked for; zero: none
    Duration hold_left{};    ///< as another process has found, or may have; zero: none
    bool is_gone = false;    ///< answered 410, to some process: disabled until resumed
    /// Fewer than `meta.down_after` attempts in a row went wrong, or another process has delivered
    /// since.
    bool is_up = true;
    double delivered_per_second = 0;  ///< over the last ten seconds
    std::string last_error;           ///< of the last attempt that went wrong; empty if none did
    WallTime last_error_at{};         ///< meaningful if last_error is not empty
    WallTime last_success_at{};       ///< zero if none yet
};

/// One attempt of the past.
struct AttemptRecord {
    WallTime began_at{};
    std::uint64_t seq = 0;  ///< of the first event
    std::string event_id;   ///< of the first event, its first 64 bytes
    std::size_t events = 1;
    unsigned number = 1;
    int status = 0;               ///< 0: there was no answer
    Reason error = Reason::none;  ///< why not
    Duration took{};
};

/// What has become of an event at one endpoint.
enum class EventState : std::uint8_t {
    unknown,  ///< from before the endpoint was there, or so old that this is forgotten
    ignored,
    pending,  ///< waiting, or in flight
    delivered,
    dropped,
    dead_lettered,
    not_offered,  ///< the endpoint was there, and the event was not for it
};
std::string_view to_string(EventState state) noexcept;

struct EndpointFate {
    std::string endpoint;
    EventState state = EventState::unknown;
    std::string_view reason;              ///< of what was dropped or given up; else empty
    std::vector<AttemptRecord> attempts;  ///< those that are remembered, oldest first
};

/// Whether an endpoint wants an event.
enum class Interest : std::uint8_t {
    ignored,
    wanted,
    failed,  ///< the filter threw
};

/// Lives on one shard; everything but the constructor runs on that shard's thread. Give it to a
/// Broadcaster, which starts and ends it. Ends for good: to have it back, make a new one.
class Endpoint final {
  public:
    /// Any thread. `shard` must outlive the endpoint.
    Endpoint(Shard& shard, EndpointOptions options);
    ~Endpoint();

    const std::string& name() const noexcept { return name_; }
    Shard& shard() const noexcept { return shard_; }

    /// Starts the workers.
    void start();

    /// Filters and queues; never blocks. After drain() the event is counted dropped{removed}.
    void offer(const EventPtr& event);

    /// As offer(), of an event that is stored and whose filter has been asked.
    void take(const EventPtr& event, Interest interest);

    /// No more offers; the workers leave once the queue is empty. If it is durable, also once
    /// nothing can go at the moment: paused, backing off.
    void drain();

    /// If the queue is durable, the workers leave when they are done with what is under way; else
    /// as drain().
    void leave();

    /// Ends attempts and waits under way; what they held goes back to the queue. Workers leave.
    void abort();

    /// Ends when all workers have left. What is then still queued is counted dropped{reason}, or
    /// kept if the queue is durable, and logged. One caller.
    awaitable<void> join(DropReason reason);

    /// `callback` is run once, on the shard, when its sink has ended for good (Outcome::closed).
    void on_closed(std::function<void()> callback);
    /// Whether it has; any thread.
    bool has_closed() const noexcept { return has_closed_.load(std::memory_order_relaxed); }

    EndpointSnapshot snapshot() const;

    /// No new attempts until resume(); events keep queueing. Idempotent.
    void pause();
    /// Ends a pause, also one that the receiver asked for, and takes up again what was disabled
    /// because the receiver was gone.
    void resume();

    /// Another process has found that the receiver is best left alone for so long, or, with zero,
    /// that it takes events again. Replaces what was said before; resume() ends it, too.
    void hold(Duration how_long);

    /// Another process has found that the receiver is gone: as after a 410 here.
    void take_gone();
    /// As another process has told, that is over. An operator's pause stays.
    void take_back();

    /// Another process, whose last attempt has failed so long ago, wants to hear of a success.
    void down_elsewhere(Duration ago);
    /// Another process has delivered to the receiver. Where it is down, or its breaker open, and no
    /// attempt fails any more, that is over, too.
    void up_elsewhere();

    /// Takes new settings. What is queued stays, in its order, and so do counters, history and an
    /// operator's pause; the filter is for events that are offered from now on. An attempt under
    /// way ends with the old settings, the next one has the new; what waits for a backoff, because
    /// its receiver asked for time, or is gone, is tried once at once. The name stays, too, and a
    /// queue that was given to the endpoint: neither is looked at here. After drain(): no change.
    /// Bounds with Overflow::reject take a Broadcaster (apply()), as it is where events are
    /// refused.
    void reconfigure(EndpointOptions options);

    /// Drops all that waits, counted as purged; what is under way goes on. Returns how many. Of a
    /// queue that is shared, what waits here.
    std::size_t purge();
    /// The same, of a queue that is shared all that waits: `on_purged` is told how many, or nothing
    /// if some may still be there; on the shard, at the latest when the endpoint has ended.
    void purge(std::function<void(std::optional<std::size_t>)> on_purged);

    /// Queues events again that were given up, behind all others and past the filter. They count
    /// as offered once more. Only those that a Broadcaster has numbered anew. The box hears what
    /// becomes of their letters: a durable queue is as good as they are. What there is no room for,
    /// is dropped: the letters are left. Of a queue that is shared: they are in its log, and count
    /// when they come from there.
    void requeue(std::span<const Replayed> events);

    /// As offer(), of an event of Fanfare's own that the filter wants. Nobody has asked whether
    /// there is room for it: with Overflow::reject it is dropped if there is none.
    void take_meta(const EventPtr& event);

    /// They could not be queued: the box keeps their letters.
    void not_requeued(std::span<const Replayed> events);

    /// One attempt past the queue, that neither counts nor moves the breaker. Ends with the
    /// endpoint at the latest, then with `aborted`. The endpoint must outlive the coroutine.
    awaitable<Outcome> test(EventPtr ping);

    /// The last attempts, newest first; a hundred are kept.
    std::vector<AttemptRecord> attempts(std::size_t limit) const;

    /// What has become of the event here; remembered for the last 16,384 seqs.
    EndpointFate fate(std::uint64_t seq) const;

    /// Whether its receiver has answered 410 for good; any thread. It ignores events then.
    bool is_gone() const noexcept;

  private:
    friend class Broadcaster;
    friend class Shard;
    class Impl;

    const std::string name_;
    const std::int64_t store_id_;
    Shard& shard_;
    // The Broadcaster's.
    std::uint64_t order_ = 0;
    std::uint64_t seq_before_ = 0;          // the last seq that was given before it came
    std::shared_ptr<const Filter> filter_;  // as of the last event that was numbered
    bool asks_for_meta_;                    // the same

    std::atomic<bool> has_closed_{false};
    const std::shared_ptr<Room> room_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fanfare
