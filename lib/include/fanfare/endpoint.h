#pragma once

#include <functional>
#include <memory>
#include <string>

#include "fanfare/filter.h"
#include "fanfare/metrics.h"
#include "fanfare/queue.h"
#include "fanfare/retry.h"
#include "fanfare/sink.h"

namespace fanfare {

class Shard;

/// What a sink may use of its surroundings. Both outlive the sink.
struct SinkContext {
    Shard& shard;
    EndpointMetrics& metrics;
};

/// Makes the sink of one worker; called once per worker, on the shard's thread.
using SinkMaker = std::function<std::unique_ptr<Sink>(const SinkContext&)>;

/// One endpoint's chain: filter → queue → workers, each with a retrying sink around its own sink.
struct EndpointOptions {
    std::string name;            ///< the `endpoint` label; unique within a Broadcaster
    unsigned max_in_flight = 1;  ///< workers; 1 keeps strict order. Range [1, 1024]
    LeaseLimits batch;
    RetryLimits limits;
    std::unique_ptr<Filter> filter;           ///< null: wants everything
    std::unique_ptr<Queue> queue;             ///< null: a MemoryQueue
    std::unique_ptr<RetryStrategy> strategy;  ///< null: a Breaker with its defaults
    SinkMaker make_sink;                      ///< must be set
};

/// The state of an endpoint at one moment; see Broadcaster::snapshot.
struct EndpointSnapshot {
    std::string name;
    EndpointMetrics metrics;
    std::uint64_t pending_events = 0;  ///< waiting or in flight
    std::uint64_t pending_bytes = 0;
    std::uint64_t in_flight_requests = 0;
    Duration oldest_pending{};  ///< age of the oldest pending event; zero if there is none
    bool is_breaker_open = false;
    bool is_up = true;                ///< fewer than 5 attempts in a row went wrong
    double delivered_per_second = 0;  ///< over the last ten seconds
    std::string last_error;           ///< of the last attempt that went wrong; empty if none did
    WallTime last_error_at{};         ///< meaningful if last_error is not empty
    WallTime last_success_at{};       ///< zero if none yet
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

    /// No more offers; the workers leave once the queue is empty.
    void drain();

    /// Ends attempts and waits under way; what they held goes back to the queue. Workers leave.
    void abort();

    /// Ends when all workers have left. What is then still queued is counted dropped{reason} and
    /// logged. One caller.
    awaitable<void> join(DropReason reason);

    /// `callback` is run once, on the shard, when its sink has ended for good (Outcome::closed).
    void on_closed(std::function<void()> callback);

    EndpointSnapshot snapshot() const;

  private:
    friend class Broadcaster;
    friend class Shard;
    class Impl;

    const std::string name_;
    Shard& shard_;
    std::uint64_t order_ = 0;  // given by the Broadcaster
    std::unique_ptr<Impl> impl_;
};

}  // namespace fanfare
