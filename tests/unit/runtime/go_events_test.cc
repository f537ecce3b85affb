// Counterparts of docker/go-events' own tests and of the defects it is known for.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "base/wakeup.h"
#include "fanfare/channel_sink.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using test::Pipeline;
using test::Receiver;

/// Writes `count` events from ten threads at once, as the original does from goroutines.
void write_concurrently(Broadcaster& broadcaster, int count) {
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 10; ++writer) {
        writers.emplace_back([&broadcaster, writer, count] {
            for (int i = writer; i < count; i += 10) {
                const std::shared_ptr<Event> event = test::make_event(std::to_string(i));
                EXPECT_TRUE(broadcaster.write({&event, 1}).has_value());
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
}

// Acceptance 33. TestBroadcaster: 10 sinks, each added twice, 1000 concurrent writes.
TEST(GoEvents, broadcaster_writes_every_event_to_every_sink_once) {
    Pipeline pipeline;
    std::vector<Receiver> receivers(10);
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    for (std::size_t i = 0; i < receivers.size(); ++i) {
        endpoints.push_back(pipeline.add("sink" + std::to_string(i), deliver, receivers[i]));
        pipeline.broadcaster.add(endpoints.back());
    }

    write_concurrently(pipeline.broadcaster, 1000);
    pipeline.poll();

    for (const Receiver& receiver : receivers) {
        EXPECT_EQ(receiver.ids.size(), 1000U);
        EXPECT_EQ(receiver.ids, receivers.front().ids) << "all endpoints see the same order";
    }
    EXPECT_CONSERVED(pipeline.snapshot());

    for (const auto& endpoint : endpoints) pipeline.broadcaster.remove(endpoint, 1s);
    pipeline.write("after the removal");
    pipeline.poll();
    for (const Receiver& receiver : receivers) EXPECT_EQ(receiver.ids.size(), 1000U);

    pipeline.drain(1s);
    const std::shared_ptr<Event> late = test::make_event("late");
    EXPECT_FALSE(pipeline.broadcaster.write({&late, 1}).has_value());
}

// TestChannel: 100 concurrent writes, close, 100 more writes.
TEST(GoEvents, channel_hands_over_and_takes_nothing_once_closed) {
    Pipeline pipeline;
    Channel channel(1);
    EndpointOptions options;
    options.name = "channel";
    options.make_sink = [&channel](const SinkContext&) {
        return std::make_unique<ChannelSink>(channel);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));

    write_concurrently(pipeline.broadcaster, 100);
    std::size_t received = 0;
    for (pipeline.poll(); channel.try_receive(); pipeline.poll()) ++received;
    EXPECT_EQ(received, 100U);

    channel.close();
    channel.close();
    write_concurrently(pipeline.broadcaster, 100);
    pipeline.poll();

    EXPECT_TRUE(channel.is_closed());
    EXPECT_FALSE(channel.try_receive().has_value());
    EXPECT_TRUE(pipeline.snapshot().endpoints.empty()) << "a closed sink ends its endpoint";
}

// The same after #75: a channel that has room refuses all the same once it is closed. In the
// original half of such writes got in.
TEST(GoEvents, closed_wins_over_room_in_a_channel) {
    Pipeline pipeline;
    Channel channel(1000);
    channel.close();
    ChannelSink sink(channel);

    for (int i = 0; i < 100; ++i) {
        const EventPtr event = test::make_event(std::to_string(i));
        const Attempt attempt{Batch(&event, 1), 1};
        EXPECT_EQ(test::run(pipeline.context, sink.deliver(attempt)).verdict(), Verdict::closed);
    }
}

// The wait of a sink for room must not outlive it: the channel may outlive its loop.
TEST(GoEvents, a_channel_may_outlive_the_loop_of_its_writer) {
    Channel channel(1);
    {
        Pipeline pipeline;
        EndpointOptions options;
        options.name = "channel";
        options.make_sink = [&channel](const SinkContext&) {
            return std::make_unique<ChannelSink>(channel);
        };
        pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
        pipeline.write_many(2);
        pipeline.drain(Duration::zero());
    }

    EXPECT_TRUE(channel.try_receive().has_value());
    EXPECT_FALSE(channel.try_receive().has_value());
}

// TestFilter: 100 events, every second one matches.
TEST(GoEvents, filter_lets_through_what_matches) {
    class EvenFilter final : public Filter {
      public:
        bool wants(const Event& event) const noexcept override { return event.seq() % 2 == 0; }
    };
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options;
    options.filter = std::make_unique<EvenFilter>();
    pipeline.add("even", deliver, receiver, std::move(options));

    write_concurrently(pipeline.broadcaster, 100);
    pipeline.poll();

    EXPECT_EQ(receiver.ids.size(), 50U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

/// Takes a millisecond for each event.
class MillisecondSink final : public Sink {
  public:
    MillisecondSink(Receiver& receiver, Clock& clock) : receiver_(receiver), clock_(clock) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        co_await wait_until(clock_, clock_.now() + 1ms);
        receiver_.ids.emplace_back(attempt.batch.front()->id());
        co_return Outcome::delivered();
    }

  private:
    Receiver& receiver_;
    Clock& clock_;
};

// TestQueue: 1000 events through a sink that takes 1 ms each; closing flushes.
TEST(GoEvents, queue_never_blocks_the_writer_and_is_flushed_by_a_drain) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options;
    options.name = "slow";
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<MillisecondSink>(receiver, pipeline.clock);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));

    write_concurrently(pipeline.broadcaster, 1000);
    pipeline.poll();
    EXPECT_EQ(pipeline.snapshot_of("slow").pending_events, 1000U) << "with the one under way";
    pipeline.drain(1001ms);

    EXPECT_EQ(receiver.ids.size(), 1000U);
    const EndpointSnapshot end = pipeline.snapshot_of("slow");
    EXPECT_EQ(end.metrics.events(), 1000U);
    EXPECT_EQ(end.pending_events, 0U);
    EXPECT_CONSERVED(end);
}

/// Fails always for the first 50 attempts, then nine times out of ten.
test::ScriptedSink::Script flaky(const Receiver& receiver, std::mt19937& random) {
    return [&receiver, &random](const Attempt&) {
        const bool fails = receiver.attempts <= 50 || random() % 10 != 0;
        return fails ? Outcome::retry(Reason::reset) : Outcome::delivered();
    };
}

void expect_all_arrive(std::unique_ptr<RetryStrategy> strategy) {
    Pipeline pipeline;
    Receiver receiver;
    std::mt19937 random(20261);
    EndpointOptions options;
    options.strategy = std::move(strategy);
    pipeline.add("flaky", flaky(receiver, random), receiver, std::move(options));

    write_concurrently(pipeline.broadcaster, 100);
    pipeline.advance(1h);

    EXPECT_EQ(receiver.ids.size(), 100U);
    EXPECT_EQ(std::set<std::string>(receiver.ids.begin(), receiver.ids.end()).size(), 100U);
    EXPECT_EQ(pipeline.snapshot_of("flaky").pending_events, 0U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// TestRetryingSinkBreaker, and the same test of distribution 2.8.
TEST(GoEvents, retrying_sink_with_breaker_delivers_everything) {
    expect_all_arrive(std::make_unique<Breaker>(3, 10ms));
}

// TestRetryingSinkExponentialBackoff.
TEST(GoEvents, retrying_sink_with_exponential_backoff_delivers_everything) {
    const ExponentialBackoff::Options options{.base = 1ms, .factor = 1ms, .max = 5ms};
    expect_all_arrive(std::make_unique<ExponentialBackoff>(options, 20262));
}

// Acceptance 34. Removal during iteration made b miss an event and d have it twice.
TEST(GoEvents, removal_of_a_closed_sink_skips_and_repeats_nothing) {
    Pipeline pipeline;
    std::vector<Receiver> receivers(4);
    pipeline.add(
        "a", [](const Attempt&) { return Outcome::closed(); }, receivers[0]);
    for (std::size_t i = 1; i < receivers.size(); ++i) {
        pipeline.add(std::string(1, static_cast<char>('a' + i)), deliver, receivers[i]);
    }

    pipeline.write("1");
    pipeline.poll();
    pipeline.write("2");
    pipeline.poll();

    EXPECT_TRUE(receivers[0].ids.empty());
    for (std::size_t i = 1; i < receivers.size(); ++i) {
        EXPECT_EQ(receivers[i].ids, (std::vector<std::string>{"1", "2"}));
    }
    EXPECT_EQ(pipeline.snapshot().endpoints.size(), 3U);
    EXPECT_EQ(pipeline.log_count("events dropped"), 1U);
}

// Close had no limit: one stuck sink kept everything from ending, one after the other.
TEST(GoEvents, drain_ends_at_its_deadline_with_every_sink_stuck) {
    Pipeline pipeline;
    std::vector<Receiver> receivers(3);
    for (std::size_t i = 0; i < receivers.size(); ++i) {
        pipeline.add(
            "stuck" + std::to_string(i),
            [](const Attempt&) { return Outcome::retry(Reason::connect); }, receivers[i]);
    }
    pipeline.write_many(10);
    pipeline.poll();

    pipeline.drain(2s);

    for (const EndpointSnapshot& endpoint : pipeline.snapshot().endpoints) {
        EXPECT_EQ(endpoint.metrics.dropped_events(DropReason::shutdown), 10U);
        EXPECT_CONSERVED(endpoint);
    }
    EXPECT_EQ(pipeline.log_count("events dropped"), 3U);
}

// A throw in one sink's goroutine ended the process; here it is an error that is retried.
TEST(GoEvents, a_sink_that_throws_harms_nobody) {
    Pipeline pipeline;
    Receiver throwing;
    Receiver healthy;
    pipeline.add(
        "throwing",
        [&](const Attempt&) -> Outcome {
            if (throwing.attempts == 1) throw std::runtime_error("poison");
            if (throwing.attempts == 2) throw 42;
            return Outcome::delivered();
        },
        throwing);
    pipeline.add("healthy", deliver, healthy);

    pipeline.write_many(3);
    pipeline.poll();

    EXPECT_EQ(throwing.ids, (std::vector<std::string>{"0", "1", "2"}));
    EXPECT_EQ(healthy.ids, throwing.ids);
    EXPECT_EQ(pipeline.snapshot_of("throwing").metrics.errors(), 2U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// Events were dropped at debug level only, and their contents logged.
TEST(GoEvents, what_is_dropped_is_logged_without_its_content) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options;
    options.retry.attempts_max = 2;
    pipeline.add(
        "refusing", [](const Attempt&) { return Outcome::refused(500); }, receiver,
        std::move(options));

    for (int i = 0; i < 5; ++i) pipeline.write("id" + std::to_string(i), "secret-action");
    pipeline.poll();
    pipeline.advance(5min);

    EXPECT_EQ(pipeline.snapshot_of("refusing").metrics.dead_letters(DeadReason::max_attempts), 5U);
    EXPECT_GE(pipeline.log_count("event given up"), 1U);
    EXPECT_EQ(pipeline.log_count("secret-action"), 0U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

}  // namespace
}  // namespace fanfare
