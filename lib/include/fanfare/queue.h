#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "fanfare/event.h"
#include "fanfare/history.h"
#include "fanfare/outcome.h"

namespace fanfare {

/// What becomes of an event that there is no room for (SPEC 12).
enum class Overflow : std::uint8_t {
    drop_oldest,  ///< the oldest that is not under way is dropped for it
    drop_newest,  ///< it is dropped
    reject,       ///< it is refused before it is accepted, so that nothing is ever dropped
    dead_letter   ///< the oldest that is not under way is given up for it
};
std::string_view to_string(Overflow overflow) noexcept;

/// How much may be pending for one endpoint, with what is under way; 0: no limit.
struct QueueBounds {
    std::size_t events_max = 0;
    std::size_t bytes_max = 0;  ///< of payload
    Overflow overflow = Overflow::drop_oldest;

    bool allow(std::size_t events, std::size_t bytes) const noexcept {
        if (bytes_max != 0 && bytes > bytes_max) return false;
        return events_max == 0 || events <= events_max;
    }
    bool operator==(const QueueBounds&) const = default;
};

/// How much one lease may take, and how long it may wait for that much. At least one event is
/// always given.
struct LeaseLimits {
    std::size_t events_max = 1;
    std::size_t bytes_max = 1024 * 1024;
    /// A lease that is not full waits until its oldest event is as old as this.
    Duration linger{};
    /// Where order does not matter, rather events that have not been tried: for the one attempt
    /// that is to show whether the receiver takes anything. One event that it will never take could
    /// keep all others waiting otherwise.
    bool untried_first = false;
    bool operator==(const LeaseLimits&) const = default;
};

/// Events taken out of a queue by one worker until it settles them, with the story of the attempts
/// at them. Once formed, the events of a lease stay together, also when it goes back and is leased
/// again: every attempt sends the same bytes. Only split() divides them.
class Lease {
  public:
    Lease() = default;

    bool is_empty() const noexcept { return events_.empty(); }
    Batch batch() const noexcept { return {events_.data(), events_.size()}; }
    void add(EventPtr event) { events_.push_back(std::move(event)); }

    /// Attempts so far, and those of them that count as failures.
    unsigned attempts() const noexcept { return attempts_; }
    unsigned failures() const noexcept { return failures_; }
    /// Of the last attempt: its status, or if there was no answer its reason.
    int last_status() const noexcept { return last_status_; }
    Reason last_error() const noexcept { return last_error_; }

    /// The story of an earlier process.
    void set_attempts(unsigned attempts, unsigned failures) noexcept {
        attempts_ = attempts;
        failures_ = failures;
    }
    void note_attempt() noexcept { ++attempts_; }
    void note_outcome(const Outcome& outcome) noexcept {
        set_outcome(outcome.http_status(), outcome.reason());
    }
    void set_outcome(int status, Reason error) noexcept {
        last_status_ = status;
        last_error_ = error;
    }
    void note_failure() noexcept { ++failures_; }

    /// Given back, it is not to be leased before.
    TimePoint not_before() const noexcept { return not_before_; }
    void hold_until(TimePoint at) noexcept { not_before_ = at; }

    /// For the queue's own use; both halves of a lease have it.
    std::uint64_t tag() const noexcept { return tag_; }
    void set_tag(std::uint64_t tag) noexcept { tag_ = tag; }

    /// What is left of a larger lease.
    bool is_part() const noexcept { return is_part_; }
    /// Whether it is more than events that wait for their first attempt.
    bool has_story() const noexcept { return attempts_ > 0 || is_part_; }
    /// Two halves in order, the larger one first, each with a story of its own. Needs two events.
    std::pair<Lease, Lease> split() const;

  private:
    boost::container::small_vector<EventPtr, 1> events_;
    TimePoint not_before_ = TimePoint::min();
    std::uint64_t tag_ = 0;
    unsigned attempts_ = 0;
    unsigned failures_ = 0;
    int last_status_ = 0;
    Reason last_error_ = Reason::none;
    bool is_part_ = false;
};

enum class Settle : std::uint8_t { done, give_back };

/// An event that has come to a queue without having been pushed.
struct Arrival {
    const EventPtr& event;
    EventSource source = EventSource::http;
    /// meta: whom it is about; replay: whom it is for. Else empty.
    std::string_view endpoint;
    bool is_first = true;  ///< no process has been given it before
};

/// Who works off a queue. Called on its shard, and never from inside a call to the queue.
class QueueOwner {
  public:
    virtual ~QueueOwner() = default;
    /// There may be more to lease, though nothing was pushed or settled.
    virtual void on_ready() = 0;
    /// Pending events cannot be read any more, and have left the queue.
    virtual void on_corrupt(std::size_t events) = 0;
    /// Whether it is to be queued; if not, the endpoint is done with it.
    virtual bool on_arrival(const Arrival& /*arrival*/) { return true; }
    virtual LeaseLimits limits() const noexcept = 0;
    /// Between two attempts at one event.
    virtual Duration longest_wait() const noexcept = 0;
};

/// Of a queue that several processes work off together.
struct SharedFigures {
    std::uint64_t held = 0;         ///< pending events that this process has
    std::uint64_t returned = 0;     ///< events that it had, and others may have now; ever
    std::uint64_t with_others = 0;  ///< those that some process has, this one included
    std::uint64_t redelivered = 0;  ///< of these, given out more than once
};

/// What waits for an endpoint, oldest first. Passive and single-threaded (the endpoint's shard),
/// with no coroutine inside, so that it is easy to implement elsewhere.
class Queue {
  public:
    virtual ~Queue() = default;

    /// Never blocks. `event` is younger than all before.
    virtual void push(EventPtr event) = 0;

    /// When lease() gives something if nothing happens until then; max(): not before a push or a
    /// settle.
    virtual TimePoint ready_at(const LeaseLimits& limits) const noexcept = 0;

    /// The oldest events that may go now; empty when there are none.
    virtual Lease lease(const LeaseLimits& limits, TimePoint now) = 0;

    /// When the oldest that is not leased was accepted, of a formed lease its youngest event; max()
    /// if nothing waits.
    virtual TimePoint oldest_waiting() const noexcept = 0;

    /// What oldest_waiting() told of, whether it may go or not, if it was accepted by then; empty
    /// if not. Events that have not been in a lease come one at a time.
    virtual Lease lease_accepted_by(TimePoint time) = 0;

    /// Ends a lease, or a part of one. give_back returns it to where its seq puts it: before all
    /// younger ones.
    virtual void settle(Lease lease, Settle how) = 0;

    /// Takes out all that is not leased, and returns what of it is in memory, in no particular
    /// order.
    virtual std::vector<EventPtr> clear() = 0;

    /// Takes the oldest that is not leased out for good: one event, or all that was formed as one
    /// lease, with its story. Not to be settled. Empty if there is none. Without it, what
    /// lease_accepted_by() gives.
    virtual Lease remove_oldest();

    /// What was given back to be leased later may be leased now. Without it, it keeps waiting.
    virtual void release_held() {}

    /// Takes what another queue held: its leases, the oldest first, before anything is pushed.
    /// Without it, events are taken without the story of their attempts.
    virtual void adopt(Lease lease);

    /// Waiting or leased.
    virtual std::size_t pending_events() const noexcept = 0;
    virtual std::size_t pending_bytes() const noexcept = 0;

    /// When the oldest pending event was accepted; only if there is one.
    virtual TimePoint oldest_accepted() const noexcept = 0;

    // The rest is for queues that keep events elsewhere than in memory.

    /// Before anything else, once.
    virtual void start(QueueOwner& owner);

    /// After everything else: the owner is not called any more.
    virtual void end() noexcept {}

    /// Whether what is pending when the process ends, or the endpoint, is there again later.
    virtual bool is_durable() const noexcept { return false; }

    /// Whether QueueOwner::on_ready is on its way.
    virtual bool is_filling() const noexcept { return false; }

    /// The process is about to leave: what is not leased, and later what is given back, is for
    /// other processes. Without it, it stays.
    virtual void leave() {}

    /// Present if other processes work it off, too: then pending is what waits for all of them, but
    /// in bytes for this one, and clear() takes what is here.
    virtual std::optional<SharedFigures> shared() const { return std::nullopt; }

    /// Whether an event that came here is still here, and not with others.
    virtual bool has(std::uint64_t /*seq*/) const { return true; }

    /// Leases that there may be at the same time, of all processes together.
    virtual void set_in_flight_max(unsigned /*leases*/) {}

    /// As clear(), but for all processes. `on_cleared` is called on the shard, at the latest by
    /// end(): how many events are gone besides what clear() takes, or nothing if the others may
    /// not be.
    virtual std::vector<EventPtr> clear_all(
        std::function<void(std::optional<std::size_t>)> on_cleared);

    /// Takes an empty queue whose order it is to have. Nothing may be leased. Without it, the queue
    /// stays as it is.
    virtual void set_order(std::unique_ptr<Queue> order);

    /// The event, younger than all before, is not to be pushed. It comes again if the process ends
    /// before what is returned is called with it, on any thread; nothing if it does not.
    virtual std::function<void(const Event&)> skip(const Event& event);

    /// As settle(done), and then as skip().
    virtual std::function<void(const Event&)> settle_later(Lease lease);
};

/// Leases that were given back, in the order in which they may be leased again. Single-threaded.
class ReturnedLeases {
  public:
    bool is_empty() const noexcept { return leases_.empty(); }
    const Lease& front() const noexcept { return leases_.begin()->second; }
    /// `order` comes before the seq, and no two leases have both in common.
    void add(Lease lease, TimePoint order);
    Lease take_front();
    /// The one whose youngest event is the oldest. There must be one.
    Lease take_oldest();
    void take_all(std::vector<EventPtr>& events);
    std::size_t events() const noexcept { return events_; }
    /// max() if there is none.
    TimePoint oldest_accepted() const noexcept;
    /// When the youngest event of what take_oldest() would give was accepted; max() if nothing.
    TimePoint oldest_lease() const noexcept;

  private:
    using Place = std::pair<TimePoint, std::uint64_t>;
    using Leases = std::map<Place, Lease>;
    Lease take(Leases::iterator found);

    Leases leases_;
    std::set<std::pair<TimePoint, Place>> by_age_;  // by when the youngest event was accepted
    std::multiset<TimePoint> oldest_of_batches_;    // of those that are larger than one event
    std::size_t events_ = 0;
};

/// In memory, without a bound of its own: an event costs a pointer here, the process-wide Budget
/// bounds the payloads.
class MemoryQueue final : public Queue {
  public:
    enum class Order : std::uint8_t {
        strict,  ///< a lease that was given back holds up all younger ones
        free     ///< it does not
    };

    explicit MemoryQueue(Order order = Order::strict) : order_(order) {}

    void push(EventPtr event) override;
    TimePoint ready_at(const LeaseLimits& limits) const noexcept override;
    Lease lease(const LeaseLimits& limits, TimePoint now) override;
    TimePoint oldest_waiting() const noexcept override;
    Lease lease_accepted_by(TimePoint time) override;
    void settle(Lease lease, Settle how) override;
    std::vector<EventPtr> clear() override;
    void release_held() override;
    void adopt(Lease lease) override;
    std::size_t pending_events() const noexcept override;
    std::size_t pending_bytes() const noexcept override { return waiting_bytes_ + taken_bytes_; }
    TimePoint oldest_accepted() const noexcept override;

  private:
    /// A lease under way, as long as not all parts of it have been settled.
    struct Leased {
        std::uint64_t tag;
        std::size_t events;
        TimePoint oldest_accepted;
    };

    Lease form(const LeaseLimits& limits);
    Lease note(Lease lease);

    Order order_;
    std::deque<EventPtr> waiting_;
    ReturnedLeases returned_;
    std::vector<Leased> leased_;  // as many as there are workers
    std::uint64_t last_tag_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::size_t taken_events_ = 0;  // leased or given back
    std::size_t taken_bytes_ = 0;
};

/// In memory, strict among the events of one key, free among keys: a lease that was given back
/// holds up the younger events of its key only. Leases hold one event.
class KeyedQueue final : public Queue {
  public:
    /// The key of an event. Two keys may share a number; then they share their order.
    using KeyOf = std::function<std::uint64_t(const Event&)>;

    explicit KeyedQueue(KeyOf key_of);
    ~KeyedQueue() override;

    void push(EventPtr event) override;
    TimePoint ready_at(const LeaseLimits& limits) const noexcept override;
    Lease lease(const LeaseLimits& limits, TimePoint now) override;
    TimePoint oldest_waiting() const noexcept override;
    Lease lease_accepted_by(TimePoint time) override;
    void settle(Lease lease, Settle how) override;
    std::vector<EventPtr> clear() override;
    Lease remove_oldest() override;
    void release_held() override;
    void adopt(Lease lease) override;
    std::size_t pending_events() const noexcept override;
    std::size_t pending_bytes() const noexcept override;
    TimePoint oldest_accepted() const noexcept override;

  private:
    struct Lane;
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Everything that waits in `from`, in its order and with its story, goes to `to`, which is empty.
/// Nothing may be leased. A story is lost where it would break the order that `to` keeps.
void move_events(Queue& from, Queue& to);

}  // namespace fanfare
