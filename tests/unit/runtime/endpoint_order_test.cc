#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/wakeup.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Pipeline;

/// Takes a random while for each attempt, and fails one in five; the key `never` always.
class RandomSink final : public Sink {
  public:
    using Delivered = std::map<std::string, std::vector<int>>;

    RandomSink(Clock& clock, std::mt19937& random, Delivered& delivered)
        : clock_(clock), random_(random), delivered_(delivered) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        co_await wait_until(clock_, clock_.now() + std::chrono::milliseconds(random_() % 20));
        const Event& event = *attempt.batch.front();
        const std::string key(event.action());
        if (key == "never" || random_() % 5 == 0) co_return Outcome::refused(500);
        delivered_[key].push_back(std::stoi(std::string(event.id())));
        co_return Outcome::delivered(200);
    }

  private:
    Clock& clock_;
    std::mt19937& random_;
    Delivered& delivered_;
};

class EndpointOrder : public testing::TestWithParam<RetryPolicy::Strategy> {};

TEST_P(EndpointOrder, by_key_is_exact_and_one_dead_key_stops_no_other) {
    constexpr unsigned seed = 20261121;
    std::mt19937 random(seed);
    Pipeline pipeline;
    RandomSink::Delivered delivered;
    EndpointOptions options;
    options.name = "a";
    options.max_in_flight = 16;
    options.order_by = "/action";
    options.retry.strategy = GetParam();
    options.retry.initial = 50ms;
    options.retry.max = 1s;
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<RandomSink>(pipeline.clock, random, delivered);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
    std::map<std::string, std::vector<int>> written;
    for (int i = 0; i < 10'000; ++i) {
        const unsigned number = random() % 50;
        const std::string key = number == 0 ? "never" : "key" + std::to_string(number);
        written[key].push_back(i);
        pipeline.write(std::to_string(i), key);
    }
    const std::size_t dead = written["never"].size();
    written.erase("never");

    for (int step = 0; step < 3600 && delivered != written; ++step) pipeline.advance(1s);

    EXPECT_EQ(delivered, written) << "seed " << seed;
    EXPECT_EQ(pipeline.snapshot_of("a").pending_events, dead);
    EXPECT_CONSERVED(pipeline.snapshot());
}

INSTANTIATE_TEST_SUITE_P(Strategies, EndpointOrder,
                         testing::Values(RetryPolicy::Strategy::breaker,
                                         RetryPolicy::Strategy::exponential),
                         [](const auto& tested) {
                             const bool is_breaker = tested.param == RetryPolicy::Strategy::breaker;
                             return is_breaker ? "breaker" : "exponential";
                         });

// The breaker opens for all, and one event will never be taken: it must not be every probe.
TEST(EndpointOrderWithBreaker, one_dead_event_does_not_keep_the_breaker_open) {
    for (const char* const order_by : {"", "/action"}) {
        Pipeline pipeline;
        test::Receiver receiver;
        bool is_down = true;
        EndpointOptions options;
        options.max_in_flight = 2;
        options.order_by = order_by;
        options.retry.threshold = 3;
        const auto answer = [&](const Attempt& attempt) {
            const bool is_dead = attempt.batch.front()->action() == "dead";
            return is_down || is_dead ? Outcome::refused(500) : Outcome::delivered(200);
        };
        pipeline.add("a", answer, receiver, std::move(options));
        pipeline.write("0", "dead");
        for (int i = 1; i < 50; ++i) pipeline.write(std::to_string(i), "key" + std::to_string(i));
        // Long enough for every event to have been a probe.
        pipeline.advance(100s);
        ASSERT_TRUE(receiver.ids.empty());

        is_down = false;
        pipeline.advance(5s);

        EXPECT_EQ(receiver.ids.size(), 49U) << order_by;
        EXPECT_EQ(pipeline.snapshot_of("a").pending_events, 1U);
        EXPECT_CONSERVED(pipeline.snapshot());
    }
}

}  // namespace
}  // namespace fanfare
