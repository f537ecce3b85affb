#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fanfare/broadcaster.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace fanfare::test {

inline std::shared_ptr<Event> make_event(const std::string& id, const std::string& action = "push",
                                         MediaType type = MediaType::json) {
    const std::string payload = R"({"id":")" + id + R"(","action":")" + action + R"("})";
    EventFields fields;
    fields.id = id;
    fields.action = action;
    return Event::make(payload, fields, type);
}

/// Answers attempts as it is told and remembers what it took. Shared by an endpoint's workers.
struct Receiver {
    std::vector<std::string> ids;   ///< of the events it took, in order
    unsigned attempts = 0;          ///< all
    std::vector<unsigned> numbers;  ///< Attempt::number of each attempt
    std::vector<TimePoint> times;   ///< when each attempt came
};

inline Outcome deliver(const Attempt&) { return Outcome::delivered(200); }
inline Outcome refuse(const Attempt&) { return Outcome::refused(500); }

/// Up to so many at once, each tried again after a second, two, four …
inline EndpointOptions many_at_once(unsigned max_in_flight = 4) {
    EndpointOptions options;
    options.max_in_flight = max_in_flight;
    options.retry.strategy = RetryPolicy::Strategy::exponential;
    options.retry.jitter = RetryPolicy::Jitter::none;
    options.random_seed = 1;
    return options;
}

/// A sink whose answer is a plain function of the attempt.
class ScriptedSink final : public Sink {
  public:
    using Script = std::function<Outcome(const Attempt&)>;

    ScriptedSink(Receiver& receiver, Clock& clock, Script script)
        : receiver_(receiver), clock_(clock), script_(std::move(script)) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        ++receiver_.attempts;
        receiver_.numbers.push_back(attempt.number);
        receiver_.times.push_back(clock_.now());
        const Outcome outcome = script_(attempt);
        if (outcome.verdict() == Verdict::delivered) {
            for (const EventPtr& event : attempt.batch) receiver_.ids.emplace_back(event->id());
        }
        co_return outcome;
    }

  private:
    Receiver& receiver_;
    Clock& clock_;
    Script script_;
};

/// A broadcaster on one shard whose loop the test turns and whose time the test moves.
class Pipeline {
  public:
    Pipeline()
        : log(LogOptions{LogLevel::trace, LogFormat::json},
              [this](std::string_view line) { log_lines.emplace_back(line); }),
          shard(context, clock, log),
          broadcaster({&shard}) {}

    ~Pipeline() {
        if (!is_drained_) drain(Duration::zero());
    }

    /// An endpoint that asks `script`, with the given strategy.
    std::shared_ptr<Endpoint> add(const std::string& name, ScriptedSink::Script script,
                                  Receiver& receiver, EndpointOptions options = {}) {
        options.name = name;
        options.make_sink = [this, &receiver, script](const SinkContext&) {
            return std::make_unique<ScriptedSink>(receiver, clock, script);
        };
        const auto endpoint = std::make_shared<Endpoint>(shard, std::move(options));
        broadcaster.add(endpoint);
        return endpoint;
    }

    void write(const std::string& id, const std::string& action = "push") {
        const std::shared_ptr<Event> event = make_event(id, action);
        broadcaster.write({&event, 1});
    }

    /// Writes events with ids `0` … `count-1`.
    void write_many(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) write(std::to_string(i));
    }

    void poll() { ManualClock::poll(context); }
    void advance(Duration step) { clock.advance(step, context); }

    Snapshot snapshot() { return run(context, broadcaster.snapshot()); }

    EndpointSnapshot snapshot_of(const std::string& name) {
        for (EndpointSnapshot& endpoint : snapshot().endpoints) {
            if (endpoint.name == name) return std::move(endpoint);
        }
        ADD_FAILURE() << "no endpoint " << name;
        return {};
    }

    void drain(Duration limit) {
        is_drained_ = true;
        Running<void> running(context, broadcaster.drain(clock.now() + limit));
        poll();
        advance(limit);
        EXPECT_TRUE(running.is_done());
    }

    std::size_t log_count(const std::string& text) const {
        return static_cast<std::size_t>(std::count_if(
            log_lines.begin(), log_lines.end(),
            [&](const std::string& line) { return line.find(text) != std::string::npos; }));
    }

    net::io_context context{1};
    ManualClock clock;
    std::vector<std::string> log_lines;
    Log log;
    Shard shard;
    Broadcaster broadcaster;

  private:
    bool is_drained_ = false;
};

/// SPEC 1: what came in is ignored, dropped, given up, delivered or pending, and nothing else.
inline void expect_conserved(const EndpointSnapshot& endpoint) {
    const EndpointMetrics& m = endpoint.metrics;
    EXPECT_EQ(m.offered_events() + m.restored_events(), m.ignored_events() + m.dropped_events() +
                                                            m.dead_letters() + m.successes() +
                                                            endpoint.pending_events)
        << endpoint.name;
    EXPECT_EQ(m.offered_events(), m.events() + m.ignored_events()) << endpoint.name;
}

inline void expect_conserved(const Snapshot& snapshot) {
    for (const EndpointSnapshot& endpoint : snapshot.endpoints) expect_conserved(endpoint);
}

}  // namespace fanfare::test

/// Ends every pipeline test.
#define EXPECT_CONSERVED(snapshot) ::fanfare::test::expect_conserved(snapshot)
