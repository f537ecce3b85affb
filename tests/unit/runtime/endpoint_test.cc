#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <random>

#include "base/wakeup.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using test::Pipeline;
using test::Receiver;
using test::refuse;
using test::ScriptedSink;
using Strings = std::vector<std::string>;

/// Answers the statuses in turn, then 200.
ScriptedSink::Script statuses(const Receiver& receiver, std::vector<int> script) {
    return [&receiver, script](const Attempt&) {
        const std::size_t turn = receiver.attempts - 1;
        const int status = turn < script.size() ? script[turn] : 200;
        return status < 300 ? Outcome::delivered(status) : Outcome::refused(status);
    };
}

EndpointOptions with_breaker(std::int64_t threshold, Duration backoff) {
    EndpointOptions options;
    options.strategy = std::make_unique<Breaker>(threshold, backoff);
    return options;
}

std::vector<Duration> gaps(const Receiver& receiver) {
    std::vector<Duration> all;
    for (std::size_t i = 1; i < receiver.times.size(); ++i) {
        all.push_back(receiver.times[i] - receiver.times[i - 1]);
    }
    return all;
}

// Acceptance 20.
TEST(Endpoint, retries_as_the_registry_does) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", statuses(receiver, {500, 503, 400, 404, 429, 410}), receiver,
                 with_breaker(3, 700ms));

    pipeline.write("1");
    pipeline.advance(10s);
    pipeline.write("2");
    pipeline.poll();

    const std::vector<Duration> expected = {0ms, 0ms, 700ms, 700ms, 700ms, 700ms, 7200ms};
    EXPECT_EQ(gaps(receiver), expected);
    EXPECT_EQ(receiver.numbers, (std::vector<unsigned>{1, 2, 3, 4, 5, 6, 7, 1}));
    const EndpointMetrics metrics = pipeline.snapshot_of("a").metrics;
    EXPECT_EQ(metrics.successes(), 2U);
    EXPECT_EQ(metrics.failures(), 6U);
    EXPECT_EQ(metrics.retries(), 6U);
    EXPECT_EQ(metrics.errors(), 0U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// Acceptance 36.
TEST(Endpoint, is_not_impressed_by_a_step_of_the_wall_clock) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", refuse, receiver, with_breaker(1, 1s));
    pipeline.write("1");
    pipeline.poll();

    pipeline.clock.step_wall(-1h);
    pipeline.advance(999ms);
    EXPECT_EQ(receiver.attempts, 1U);
    pipeline.advance(1ms);

    EXPECT_EQ(receiver.attempts, 2U);
}

// Acceptance 23.
TEST(Endpoint, that_is_dead_delays_no_other_and_keeps_everything) {
    Pipeline pipeline;
    Receiver dead;
    Receiver healthy;
    bool is_back = false;
    pipeline.add(
        "dead", [&](const Attempt& a) { return is_back ? deliver(a) : refuse(a); }, dead);
    pipeline.add("healthy", deliver, healthy);

    pipeline.write_many(1000);
    pipeline.poll();
    EXPECT_EQ(healthy.ids.size(), 1000U);
    EXPECT_EQ(pipeline.snapshot_of("dead").pending_events, 1000U) << "with the one in flight";
    is_back = true;
    pipeline.advance(1s);

    EXPECT_EQ(dead.ids, healthy.ids);
    EXPECT_EQ(pipeline.snapshot_of("dead").pending_events, 0U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// Acceptance 24.
TEST(Endpoint, keeps_order_under_random_failures) {
    constexpr unsigned seed = 99;
    Pipeline pipeline;
    Receiver receiver;
    std::mt19937 random(seed);
    pipeline.add(
        "flaky", [&](const Attempt& a) { return random() % 10 < 3 ? refuse(a) : deliver(a); },
        receiver);

    pipeline.write_many(10000);
    pipeline.advance(1h);

    Strings expected;
    for (int i = 0; i < 10000; ++i) expected.push_back(std::to_string(i));
    EXPECT_EQ(receiver.ids, expected) << "seed " << seed;
    EXPECT_CONSERVED(pipeline.snapshot());
}

/// Takes a while for every event, several at once.
class CountingSink final : public Sink {
  public:
    CountingSink(Clock& clock, unsigned& running, unsigned& running_max)
        : clock_(clock), running_(running), running_max_(running_max) {}

    awaitable<Outcome> deliver(Attempt) override {
        running_max_ = std::max(running_max_, ++running_);
        co_await wait_until(clock_, clock_.now() + 100ms);
        --running_;
        co_return Outcome::delivered(200);
    }

  private:
    Clock& clock_;
    unsigned& running_;
    unsigned& running_max_;
};

TEST(Endpoint, runs_as_many_attempts_at_once_as_it_may) {
    Pipeline pipeline;
    unsigned running = 0;
    unsigned running_max = 0;
    EndpointOptions options;
    options.name = "wide";
    options.max_in_flight = 4;
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<CountingSink>(pipeline.clock, running, running_max);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));

    pipeline.write_many(12);
    pipeline.poll();
    EXPECT_EQ(pipeline.snapshot_of("wide").in_flight_requests, 4U);
    pipeline.advance(300ms);

    EXPECT_EQ(running_max, 4U);
    EXPECT_EQ(pipeline.snapshot_of("wide").metrics.successes(), 12U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Endpoint, sends_one_probe_when_several_workers_wait_at_an_open_breaker) {
    Pipeline pipeline;
    Receiver receiver;
    bool is_back = false;
    EndpointOptions options = with_breaker(4, 1s);
    options.max_in_flight = 4;
    pipeline.add(
        "wide", [&](const Attempt& a) { return is_back ? deliver(a) : refuse(a); }, receiver,
        std::move(options));
    pipeline.write_many(100);
    pipeline.poll();
    EXPECT_EQ(receiver.attempts, 4U);

    pipeline.advance(1s);
    EXPECT_EQ(receiver.attempts, 5U);
    is_back = true;
    pipeline.advance(1s);

    EXPECT_EQ(receiver.ids.size(), 100U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Endpoint, gives_back_what_was_in_flight_when_it_is_aborted) {
    Pipeline pipeline;
    unsigned running = 0;
    unsigned running_max = 0;
    EndpointOptions options;
    options.name = "hanging";
    options.max_in_flight = 2;
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<CountingSink>(pipeline.clock, running, running_max);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
    pipeline.write_many(5);
    pipeline.poll();

    pipeline.drain(50ms);

    const EndpointSnapshot end = pipeline.snapshot_of("hanging");
    EXPECT_EQ(end.metrics.dropped_events(DropReason::shutdown), 5U);
    EXPECT_EQ(end.metrics.successes(), 0U);
    EXPECT_CONSERVED(end);
}

TEST(Endpoint, gives_an_event_up_after_max_attempts) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options = with_breaker(100, 1s);
    options.retry.attempts_max = 3;
    pipeline.add(
        "a", [](const Attempt& a) { return a.batch.front()->id() == "1" ? refuse(a) : deliver(a); },
        receiver, std::move(options));

    pipeline.write_many(3);
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (Strings{"0", "2"}));
    EXPECT_EQ(receiver.attempts, 5U);
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.dead_letters(DeadReason::max_attempts), 1U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Endpoint, gives_an_event_up_when_it_is_too_old) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options = with_breaker(1, 1s);
    options.retry.age_max = 3s;
    pipeline.add("a", refuse, receiver, std::move(options));

    pipeline.write_many(2);
    pipeline.advance(2s);
    EXPECT_EQ(pipeline.snapshot_of("a").pending_events, 2U);
    pipeline.advance(1s);

    EXPECT_EQ(pipeline.snapshot_of("a").metrics.dead_letters(DeadReason::max_age), 2U);
    EXPECT_EQ(pipeline.snapshot_of("a").pending_events, 0U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Endpoint, knows_its_oldest_pending_event_and_how_it_fares) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", refuse, receiver, with_breaker(3, 1s));
    pipeline.write("1");
    pipeline.advance(2s);
    pipeline.write("2");
    pipeline.poll();

    const EndpointSnapshot snapshot = pipeline.snapshot_of("a");

    EXPECT_EQ(snapshot.oldest_pending, 2s);
    EXPECT_TRUE(snapshot.is_breaker_open);
    EXPECT_FALSE(snapshot.is_up) << "five attempts in a row went wrong";
    EXPECT_EQ(snapshot.last_error, "status 500");
}

TEST(Endpoint, that_waits_at_its_breaker_has_nothing_in_flight) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", refuse, receiver, with_breaker(1, 1s));
    pipeline.write("1");
    pipeline.poll();

    const EndpointSnapshot snapshot = pipeline.snapshot_of("a");

    EXPECT_EQ(snapshot.pending_events, 1U);
    EXPECT_EQ(snapshot.in_flight_requests, 0U);
}

TEST(Endpoint, takes_a_sink_that_gives_up_by_itself_for_a_failing_one) {
    for (const bool throws : {false, true}) {
        Pipeline pipeline;
        Receiver receiver;
        pipeline.add(
            "a",
            [&](const Attempt&) {
                if (receiver.attempts > 3) return Outcome::delivered();
                if (!throws) return Outcome::aborted();
                throw boost::system::system_error(net::error::operation_aborted);
            },
            receiver, with_breaker(2, 1s));

        pipeline.write("1");
        pipeline.poll();
        EXPECT_EQ(receiver.attempts, 2U) << "the breaker counts them";
        pipeline.advance(2s);

        EXPECT_EQ(receiver.ids, (Strings{"1"}));
        EXPECT_EQ(pipeline.snapshot_of("a").metrics.errors(), 3U);
        EXPECT_CONSERVED(pipeline.snapshot());
    }
}

TEST(Endpoint, does_not_send_an_event_that_grew_too_old_while_it_waited) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options = with_breaker(1, 1h);
    options.retry.age_max = 10min;
    pipeline.add(
        "a", [&](const Attempt& a) { return receiver.attempts > 1 ? deliver(a) : refuse(a); },
        receiver, std::move(options));

    pipeline.write("1");
    pipeline.advance(10min);
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.dead_letters(DeadReason::max_age), 1U);
    pipeline.advance(2h);

    EXPECT_EQ(receiver.attempts, 1U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// SPEC 8 and 14: the first one with its names, the others by their number, none untold.
TEST(Endpoint, logs_every_event_that_it_gives_up_one_way_or_another) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options = with_breaker(1000, 1s);
    options.retry.attempts_max = 1;
    pipeline.add("a", refuse, receiver, std::move(options));

    pipeline.write_many(50);
    pipeline.poll();
    EXPECT_EQ(pipeline.log_count("event given up"), 1U);
    EXPECT_EQ(pipeline.log_count(R"("event given up","endpoint":"a","seq":1,"event_id":"0")"), 1U);
    pipeline.advance(10s);
    EXPECT_EQ(pipeline.log_count(R"("more events given up","endpoint":"a","events":49)"), 1U);

    pipeline.write_many(3);
    pipeline.drain(1s);
    EXPECT_EQ(pipeline.log_count(R"("more events given up","endpoint":"a","events":3)"), 1U);
}

// SPEC 14: the first failure, breaker changes, then at most one line per ten seconds.
TEST(Endpoint, logs_failures_sparingly) {
    Pipeline pipeline;
    Receiver receiver;
    bool is_back = false;
    pipeline.add(
        "a", [&](const Attempt& a) { return is_back ? deliver(a) : refuse(a); }, receiver,
        with_breaker(3, 100ms));

    pipeline.write("1");
    pipeline.advance(9s);
    EXPECT_EQ(pipeline.log_count("delivery failed"), 1U);
    EXPECT_EQ(pipeline.log_count("breaker opened"), 1U);
    pipeline.advance(2s);
    EXPECT_EQ(pipeline.log_count("delivery failed"), 2U);
    EXPECT_EQ(pipeline.log_count("\"suppressed\":0"), 1U);
    is_back = true;
    pipeline.advance(1s);

    EXPECT_EQ(pipeline.log_count("breaker closed"), 1U);
}

}  // namespace
}  // namespace fanfare
