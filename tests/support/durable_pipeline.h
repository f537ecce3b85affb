#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/durable_queue.h"
#include "runtime/steady_wall.h"
#include "store/journal.h"
#include "support/memory_store.h"
#include "support/pipeline.h"

namespace fanfare::test {

/// What is on the disk, and the time: all that is left when a process ends.
struct Durable {
    MemoryStore store;
    ManualClock clock;
};

/// A process that keeps its events in a store: a Pipeline whose endpoints have durable queues. The
/// disk does its work in the same loop.
class DurablePipeline {
  public:
    explicit DurablePipeline(Durable& durable)
        : durable_(durable),
          log(LogOptions{LogLevel::trace, LogFormat::json},
              [this](std::string_view line) { log_lines.emplace_back(line); }),
          times(durable.clock),
          journal(durable.store, context.get_executor(), durable.clock,
                  [this](const std::string& error) { broken.push_back(error); }),
          shard(context, durable.clock, log),
          broadcaster({&shard}) {
        broadcaster.keep_in(journal, times, durable.store.last_seq());
    }

    /// Nothing of what has not reached the disk outlives it, unless drain() was called.
    ~DurablePipeline() {
        if (!is_drained_) drain(Duration::zero());
    }

    std::shared_ptr<Endpoint> add(const std::string& name, ScriptedSink::Script script,
                                  Receiver& receiver, EndpointOptions options = {}) {
        std::shared_ptr<Endpoint> endpoint =
            make(name, std::move(script), receiver, std::move(options));
        broadcaster.add(endpoint);
        return endpoint;
    }

    std::shared_ptr<Endpoint> make(const std::string& name, ScriptedSink::Script script,
                                   Receiver& receiver, EndpointOptions options = {}) {
        options.name = name;
        options.make_sink = [this, &receiver, script](const SinkContext&) {
            return std::make_unique<ScriptedSink>(receiver, durable_.clock, script);
        };
        const DurableQueue::Place place = place_of(name);
        options.store_id = place.endpoint;
        options.queue = std::make_unique<DurableQueue>(journal, shard, times, place, window);
        return std::make_shared<Endpoint>(shard, std::move(options));
    }

    DurableQueue::Place place_of(const std::string& name) {
        DurableQueue::Place place;
        place.endpoint = durable_.store.open_endpoint(name);
        place.last_seq = durable_.store.last_seq();
        for (const StoredEndpoint& endpoint : durable_.store.endpoints()) {
            if (endpoint.id != place.endpoint) continue;
            place.pending = endpoint.pending;
            place.oldest_at = endpoint.oldest_at;
        }
        return place;
    }

    /// Begins to store an event; what becomes of it is in `results`.
    void store(const std::string& id, const std::string& action = "push") {
        const std::shared_ptr<Event> event = make_event(id, action);
        const auto refused = broadcaster.store(
            {&event, 1}, [this](Broadcaster::Stored result, Broadcaster::Written) {
                results.push_back(result);
            });
        if (refused) results.push_back(*refused);
    }

    void poll() { ManualClock::poll(context); }
    void advance(Duration step) { durable_.clock.advance(step, context); }

    EndpointSnapshot snapshot_of(const std::string& name) {
        for (EndpointSnapshot& endpoint : run(context, broadcaster.snapshot()).endpoints) {
            if (endpoint.name == name) return std::move(endpoint);
        }
        ADD_FAILURE() << "no endpoint " << name;
        return {};
    }

    void drain(Duration limit) {
        is_drained_ = true;
        Running<void> running(context, broadcaster.drain(durable_.clock.now() + limit));
        poll();
        if (limit > Duration::zero() && !running.is_done()) advance(limit);
        EXPECT_TRUE(running.is_done());
    }

    /// What is pending for an endpoint on the disk.
    std::uint64_t stored_for(const std::string& name) { return place_of(name).pending.events; }

  private:
    Durable& durable_;

  public:
    DurableQueue::Window window;
    std::vector<Broadcaster::Stored> results;
    std::vector<std::string> broken;
    net::io_context context{1};
    std::vector<std::string> log_lines;
    Log log;
    SteadyWall times;
    Journal journal;
    Shard shard;
    Broadcaster broadcaster;

  private:
    bool is_drained_ = false;
};

}  // namespace fanfare::test
