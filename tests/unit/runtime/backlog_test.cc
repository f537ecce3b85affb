#include <gtest/gtest.h>

#include "base/wakeup.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Pipeline;

/// Takes a second for each attempt.
class SecondLongSink final : public Sink {
  public:
    SecondLongSink(Clock& clock, Outcome outcome) : clock_(clock), outcome_(outcome) {}

    awaitable<Outcome> deliver(Attempt /*attempt*/) override {
        co_await wait_until(clock_, clock_.now() + 1s);
        co_return outcome_;
    }

  private:
    Clock& clock_;
    const Outcome outcome_;
};

std::shared_ptr<Endpoint> add_slow(Pipeline& pipeline, Outcome outcome) {
    EndpointOptions options;
    options.name = "slow";
    options.strategy = std::make_unique<Breaker>(2, 10s);
    options.make_sink = [&pipeline, outcome](const SinkContext&) {
        return std::make_unique<SecondLongSink>(pipeline.clock, outcome);
    };
    const auto endpoint = std::make_shared<Endpoint>(pipeline.shard, std::move(options));
    pipeline.broadcaster.add(endpoint);
    pipeline.poll();
    return endpoint;
}

TEST(Backlog, is_there_while_events_wait_for_a_busy_worker) {
    Pipeline pipeline;
    add_slow(pipeline, Outcome::delivered(200));

    pipeline.write("1");
    pipeline.poll();
    EXPECT_FALSE(pipeline.shard.has_backlog());
    pipeline.write("2");
    pipeline.poll();
    EXPECT_TRUE(pipeline.shard.has_backlog());
    pipeline.advance(1s);
    pipeline.advance(1s);

    EXPECT_FALSE(pipeline.shard.has_backlog());
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Backlog, is_none_while_the_breaker_is_open) {
    Pipeline pipeline;
    add_slow(pipeline, Outcome::refused(500));

    pipeline.write_many(3);
    pipeline.poll();
    EXPECT_TRUE(pipeline.shard.has_backlog());
    pipeline.advance(1s);
    pipeline.advance(1s);
    EXPECT_FALSE(pipeline.shard.has_backlog());

    pipeline.write("more");
    pipeline.poll();
    EXPECT_FALSE(pipeline.shard.has_backlog());
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Backlog, goes_with_its_endpoint) {
    Pipeline pipeline;
    const auto endpoint = add_slow(pipeline, Outcome::delivered(200));
    pipeline.write_many(5);
    pipeline.poll();
    EXPECT_TRUE(pipeline.shard.has_backlog());

    pipeline.broadcaster.remove(endpoint, Duration::zero());
    pipeline.poll();
    pipeline.advance(0s);

    EXPECT_FALSE(pipeline.shard.has_backlog());
    EXPECT_CONSERVED(endpoint->snapshot());
}

}  // namespace
}  // namespace fanfare
