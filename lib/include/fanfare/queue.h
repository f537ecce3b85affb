#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <deque>
#include <vector>

#include "fanfare/event.h"

namespace fanfare {

/// How much one lease may take. At least one event is always given.
struct LeaseLimits {
    std::size_t events_max = 1;
    std::size_t bytes_max = 1024 * 1024;
};

/// Events taken out of a queue by one worker until it settles them.
class Lease {
  public:
    Lease() = default;

    bool is_empty() const noexcept { return events_.empty(); }
    Batch batch() const noexcept { return {events_.data(), events_.size()}; }
    void add(EventPtr event) { events_.push_back(std::move(event)); }

  private:
    boost::container::small_vector<EventPtr, 1> events_;
};

enum class Settle : std::uint8_t { done, give_back };

/// What waits for an endpoint, oldest first. Passive and single-threaded (the endpoint's shard),
/// with no coroutine inside, so that it is easy to implement elsewhere.
class Queue {
  public:
    virtual ~Queue() = default;

    /// Never blocks.
    virtual void push(EventPtr event) = 0;

    /// The oldest events; empty when there is none.
    virtual Lease lease(const LeaseLimits& limits) = 0;

    /// Ends a lease. give_back returns its events to where their seq puts them: before all
    /// younger ones.
    virtual void settle(Lease lease, Settle how) = 0;

    /// Waiting or leased.
    virtual std::size_t pending_events() const noexcept = 0;
    virtual std::size_t pending_bytes() const noexcept = 0;

    /// When the oldest pending event was accepted; only if there is one.
    virtual TimePoint oldest_accepted() const noexcept = 0;

    /// Whether lease() would give something.
    virtual bool has_ready() const noexcept = 0;
};

/// In memory, without a bound of its own: an event costs a pointer here, the process-wide Budget
/// bounds the payloads.
class MemoryQueue final : public Queue {
  public:
    void push(EventPtr event) override;
    Lease lease(const LeaseLimits& limits) override;
    void settle(Lease lease, Settle how) override;
    std::size_t pending_events() const noexcept override;
    std::size_t pending_bytes() const noexcept override { return bytes_; }
    TimePoint oldest_accepted() const noexcept override;
    bool has_ready() const noexcept override { return !waiting_.empty(); }

  private:
    std::deque<EventPtr> waiting_;
    /// When the events under way were accepted; few, as many as there are workers.
    std::vector<TimePoint> leased_;
    std::size_t bytes_ = 0;
};

}  // namespace fanfare
