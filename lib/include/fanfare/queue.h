#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "fanfare/event.h"
#include "fanfare/outcome.h"

namespace fanfare {

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

/// Who works off a queue. Called on its shard, and never from inside a call to the queue.
class QueueOwner {
  public:
    virtual ~QueueOwner() = default;
    /// There may be more to lease, though nothing was pushed or settled.
    virtual void on_ready() = 0;
    /// Pending events cannot be read any more, and have left the queue.
    virtual void on_corrupt(std::size_t events) = 0;
    virtual LeaseLimits limits() const noexcept = 0;
    /// Between two attempts at one event.
    virtual Duration longest_wait() const noexcept = 0;
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

    /// Takes an empty queue whose order it is to have. Nothing may be leased. Without it, the queue
    /// stays as it is.
    virtual void set_order(std::unique_ptr<Queue> order);

    /// The event, younger than all before, is not to be pushed.
    virtual void skip(const Event& event);

    /// As settle(done); but should the process end before what it returns is called with an event,
    /// on any thread, that event comes again. Nothing if none does.
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
    std::size_t taken_bytes_ = 0;  // leased or given back
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
