#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/wakeup.h"
#include "runtime/history_feed.h"
#include "runtime/shared_queue.h"
#include "runtime/steady_wall.h"
#include "support/fake_log_link.h"
#include "support/fake_shared_log.h"
#include "support/letters.h"
#include "support/pipeline.h"

namespace fanfare::test {

/// What all processes of a fleet have in common. Their loops are one, so that what happens, and in
/// what order, is the test's to say.
struct SharedWorld {
    ManualClock clock;
    net::io_context context{1};
    FakeSharedLog log{clock, context};

    void poll() { ManualClock::poll(context); }
    void advance(Duration step) { clock.advance(step, context); }
};

/// A sink whose attempts take some time.
class SlowSink final : public Sink {
  public:
    SlowSink(Clock& clock, Duration takes, Receiver& receiver, ScriptedSink::Script script)
        : clock_(clock), takes_(takes), sink_(receiver, clock, std::move(script)) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        if (takes_ > Duration::zero()) co_await wait_until(clock_, clock_.now() + takes_);
        Outcome outcome = co_await sink_.deliver(attempt);
        co_return outcome;
    }

  private:
    Clock& clock_;
    const Duration takes_;
    ScriptedSink sink_;
};

/// A process of a fleet.
class SharedPipeline {
  public:
    explicit SharedPipeline(SharedWorld& fleet)
        : link(fleet.log),
          log(LogOptions{LogLevel::trace, LogFormat::json},
              [this](std::string_view line) { log_lines.emplace_back(line); }),
          times(fleet.clock),
          shard(fleet.context, fleet.clock, log),
          broadcaster({&shard}),
          world_(fleet) {
        broadcaster.keep_in(link, times);
    }

    ~SharedPipeline() {
        if (!is_drained_) kill();
    }

    std::shared_ptr<Endpoint> add(const std::string& name, ScriptedSink::Script script,
                                  Receiver& receiver, EndpointOptions options = {}) {
        const auto endpoint = make(name, std::move(script), receiver, std::move(options));
        broadcaster.add(endpoint);
        return endpoint;
    }

    std::shared_ptr<Endpoint> make(const std::string& name, ScriptedSink::Script script,
                                   Receiver& receiver, EndpointOptions options = {}) {
        options.name = name;
        options.make_sink = [this, &receiver, script](const SinkContext&) {
            return std::make_unique<SlowSink>(world_.clock, attempts_take, receiver, script);
        };
        ConsumerOptions place;
        place.endpoint = name;
        place.in_flight_max = options.max_in_flight;
        place.is_partitioned = !options.order_by.empty();
        options.queue = std::make_unique<SharedQueue>(link, shard, times, place);
        return std::make_shared<Endpoint>(shard, std::move(options));
    }

    /// Begins to store an event; what becomes of it is in `results`.
    void store(const std::string& id, const std::string& action = "push") {
        store(make_event(id, action));
    }
    void store(const std::shared_ptr<Event>& event) {
        const auto refused = broadcaster.store(
            {&event, 1}, [this](Broadcaster::Stored result, Broadcaster::Written how) {
                results.push_back(result);
                written = std::move(how);
            });
        if (refused) results.push_back(*refused);
    }
    void store_many(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) store(std::to_string(i));
    }

    EndpointSnapshot snapshot_of(const std::string& name) {
        for (EndpointSnapshot& endpoint : run(world_.context, broadcaster.snapshot()).endpoints) {
            if (endpoint.name == name) return std::move(endpoint);
        }
        ADD_FAILURE() << "no endpoint " << name;
        return {};
    }

    void drain(Duration limit) {
        is_drained_ = true;
        Running<void> running(world_.context, broadcaster.drain(world_.clock.now() + limit));
        world_.poll();
        if (limit > Duration::zero() && !running.is_done()) world_.advance(limit);
        EXPECT_TRUE(running.is_done());
    }

    /// From one moment to the next nobody hears of it any more.
    void kill() {
        link.cut_off();
        drain(Duration::zero());
    }

    Letters letters;  ///< for who wants one
    Duration attempts_take{};
    std::vector<Broadcaster::Stored> results;
    Broadcaster::Written written{0, 0};
    FakeLogLink link;
    std::vector<std::string> log_lines;
    Log log;
    SteadyWall times;
    Shard shard;
    Broadcaster broadcaster;

  private:
    SharedWorld& world_;
    bool is_drained_ = false;
};

/// What came to an endpoint of this process is with it, done with, or with others.
inline void expect_shared_conserved(const EndpointSnapshot& endpoint) {
    const EndpointMetrics& m = endpoint.metrics;
    ASSERT_TRUE(endpoint.shared.has_value());
    EXPECT_EQ(m.offered_events() + m.restored_events(),
              m.ignored_events() + m.dropped_events() + m.dead_letters() + m.successes() +
                  endpoint.shared->held + endpoint.shared->returned)
        << endpoint.name;
    EXPECT_EQ(m.offered_events(), m.events() + m.ignored_events()) << endpoint.name;
}

}  // namespace fanfare::test
