#include <gtest/gtest.h>

#include "base/wakeup.h"
#include "support/letters.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using test::Letters;
using test::Pipeline;
using test::Receiver;
using Strings = std::vector<std::string>;

EndpointOptions exponential(Duration initial) {
    EndpointOptions options;
    options.retry.strategy = RetryPolicy::Strategy::exponential;
    options.retry.jitter = RetryPolicy::Jitter::none;
    options.retry.initial = initial;
    return options;
}

std::string first_id(const Attempt& attempt) { return std::string(attempt.batch.front()->id()); }

TEST(EndpointRetry, waits_longer_from_failure_to_failure_of_an_event) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add(
        "a",
        [&](const Attempt& a) {
            return receiver.attempts < 4 ? Outcome::refused(500) : deliver(a);
        },
        receiver, exponential(1s));
    pipeline.write_many(2);

    pipeline.advance(1h);

    const TimePoint start = receiver.times.front();
    const std::vector<TimePoint> expected = {start, start + 1s, start + 3s, start + 7s, start + 7s};
    EXPECT_EQ(receiver.times, expected) << "in strict order the second waits for the first";
    EXPECT_EQ(receiver.ids, (Strings{"0", "1"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointRetry, with_several_in_flight_an_event_that_waits_holds_up_nobody) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options = exponential(10s);
    options.max_in_flight = 2;
    pipeline.add(
        "a",
        [](const Attempt& a) {
            const bool is_bad = first_id(a) == "0" && a.number < 3;
            return is_bad ? Outcome::refused(500) : deliver(a);
        },
        receiver, std::move(options));
    pipeline.write_many(5);
    pipeline.poll();
    EXPECT_EQ(receiver.ids, (Strings{"1", "2", "3", "4"}));
    EXPECT_EQ(pipeline.snapshot_of("a").pending_events, 1U);

    pipeline.advance(30s);

    EXPECT_EQ(receiver.ids.back(), "0");
    EXPECT_EQ(receiver.times.back() - receiver.times.front(), 30s);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointRetry, wakes_a_worker_for_each_event_that_waits_though_another_is_busy) {
    Pipeline pipeline;
    Receiver receiver;
    Wakeup hanging(pipeline.context.get_executor());
    class HangingSink final : public Sink {
      public:
        HangingSink(Receiver& receiver, Wakeup& hanging) : receiver_(receiver), hanging_(hanging) {}
        awaitable<Outcome> deliver(Attempt attempt) override {
            if (attempt.number == 1) co_return Outcome::refused(500);
            if (first_id(attempt) == "0") co_await hanging_.wait();
            receiver_.ids.push_back(first_id(attempt));
            co_return Outcome::delivered(200);
        }

      private:
        Receiver& receiver_;
        Wakeup& hanging_;
    };
    EndpointOptions options = exponential(10s);
    options.name = "a";
    options.max_in_flight = 2;
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<HangingSink>(receiver, hanging);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
    pipeline.write("0");
    pipeline.advance(5s);
    pipeline.write("1");

    pipeline.advance(20s);

    EXPECT_EQ(receiver.ids, (Strings{"1"}));
    hanging.notify();
    pipeline.poll();
    EXPECT_EQ(receiver.ids, (Strings{"1", "0"}));
}

TEST(EndpointRetry, gives_up_at_once_what_will_never_be_taken) {
    Pipeline pipeline;
    Receiver receiver;
    Letters letters;
    EndpointOptions options = exponential(1s);
    options.dead_letters = &letters;
    pipeline.add(
        "a",
        [](const Attempt& a) { return first_id(a) == "1" ? Outcome::refused(404) : deliver(a); },
        receiver, std::move(options));

    pipeline.write_many(3);
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (Strings{"0", "2"}));
    ASSERT_EQ(letters.all.size(), 1U);
    EXPECT_EQ(letters.all[0].event->id(), "1");
    EXPECT_EQ(letters.all[0].endpoint, "a");
    EXPECT_EQ(letters.all[0].reason, DeadReason::permanent);
    EXPECT_EQ(letters.all[0].last_status, 404);
    EXPECT_EQ(letters.all[0].attempts, 1U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointRetry, leaves_a_receiver_alone_that_asks_for_time_and_no_other) {
    Pipeline pipeline;
    Receiver asking;
    Receiver other;
    EndpointOptions options;
    options.max_in_flight = 4;
    options.retry.threshold = 1;
    options.retry.attempts_max = 2;
    pipeline.add(
        "asking",
        [&](const Attempt& a) {
            return asking.attempts == 1 ? Outcome::refused(429, 5s) : deliver(a);
        },
        asking, std::move(options));
    pipeline.add("other", deliver, other);

    pipeline.write("0");
    pipeline.poll();
    pipeline.write_many(5);
    pipeline.advance(4999ms);

    EXPECT_EQ(asking.attempts, 1U);
    EXPECT_EQ(other.attempts, 6U);
    const EndpointSnapshot paused = pipeline.snapshot_of("asking");
    EXPECT_EQ(paused.pause_left, 1ms);
    EXPECT_FALSE(paused.is_breaker_open);
    EXPECT_EQ(paused.metrics.failures(), 1U);
    pipeline.advance(1ms);

    EXPECT_EQ(asking.attempts, 7U);
    EXPECT_EQ(pipeline.snapshot_of("asking").pause_left, 0s);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointRetry, is_not_down_because_it_asks_for_time) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add(
        "a", [](const Attempt&) { return Outcome::refused(503, 1s); }, receiver);

    pipeline.write("0");
    pipeline.advance(20s);

    EXPECT_GT(receiver.attempts, 15U);
    EXPECT_TRUE(pipeline.snapshot_of("a").is_up);
}

TEST(EndpointRetry, disables_an_endpoint_that_is_gone_until_it_is_resumed) {
    Pipeline pipeline;
    Receiver receiver;
    Letters letters;
    bool is_gone = true;
    EndpointOptions options;
    options.retry.gone_disables = true;
    options.dead_letters = &letters;
    const auto endpoint = pipeline.add(
        "a", [&](const Attempt& a) { return is_gone ? Outcome::refused(410) : deliver(a); },
        receiver, std::move(options));

    pipeline.write_many(3);
    pipeline.poll();
    pipeline.write("late");
    pipeline.poll();

    const EndpointSnapshot gone = pipeline.snapshot_of("a");
    EXPECT_TRUE(gone.is_gone);
    EXPECT_EQ(gone.metrics.dead_letters(DeadReason::gone), 3U);
    EXPECT_EQ(gone.metrics.ignored_events(), 1U);
    EXPECT_EQ(letters.all.size(), 3U);
    EXPECT_EQ(receiver.attempts, 1U);
    EXPECT_EQ(pipeline.log_count("endpoint disabled"), 1U);
    is_gone = false;
    endpoint->resume();
    pipeline.write("again");
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (Strings{"again"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

// One probe, then twice as many as before, not all 64 at once.
TEST(EndpointRetry, recovers_with_a_probe_and_then_a_ramp) {
    Pipeline pipeline;
    unsigned running = 0;
    bool is_back = false;
    std::vector<unsigned> running_at;
    class RecoveringSink final : public Sink {
      public:
        RecoveringSink(Clock& clock, unsigned& running, std::vector<unsigned>& at,
                       const bool& is_back)
            : clock_(clock), running_(running), running_at_(at), is_back_(is_back) {}
        awaitable<Outcome> deliver(Attempt) override {
            if (!is_back_) co_return Outcome::refused(503);
            running_at_.push_back(++running_);
            co_await wait_until(clock_, clock_.now() + 100ms);
            --running_;
            co_return Outcome::delivered(200);
        }

      private:
        Clock& clock_;
        unsigned& running_;
        std::vector<unsigned>& running_at_;
        const bool& is_back_;
    };
    EndpointOptions options;
    options.name = "a";
    options.max_in_flight = 64;
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<RecoveringSink>(pipeline.clock, running, running_at, is_back);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
    pipeline.write_many(100'000);
    pipeline.poll();
    ASSERT_TRUE(pipeline.snapshot_of("a").is_breaker_open);

    is_back = true;
    pipeline.advance(1s);
    EXPECT_EQ(running, 1U);
    std::vector<unsigned> ramp;
    for (int i = 0; i < 8; ++i) {
        pipeline.advance(100ms);
        ramp.push_back(running);
    }

    EXPECT_EQ(ramp[0], 2U);
    for (std::size_t i = 1; i < ramp.size(); ++i) {
        EXPECT_LE(ramp[i], ramp[i - 1] * 2) << i;
        EXPECT_GE(ramp[i], ramp[i - 1]) << i;
    }
    EXPECT_EQ(ramp.back(), 64U);
    pipeline.advance(10min);
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.successes(), 100'000U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

}  // namespace
}  // namespace fanfare
