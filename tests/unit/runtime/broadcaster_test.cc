#include <gtest/gtest.h>

#include <thread>

#include "base/deadlines.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using test::Pipeline;
using test::Receiver;
using test::refuse;

TEST(Broadcaster, numbers_events_from_one_without_gaps) {
    Pipeline pipeline;
    std::vector<std::shared_ptr<Event>> events = {test::make_event("a"), test::make_event("b")};

    const auto first = pipeline.broadcaster.write(events);
    const std::shared_ptr<Event> third = test::make_event("c");
    const auto second = pipeline.broadcaster.write({&third, 1});

    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->first_seq, 1U);
    EXPECT_EQ(first->last_seq, 2U);
    EXPECT_EQ(second->first_seq, 3U);
    EXPECT_EQ(third->seq(), 3U);
}

TEST(Broadcaster, gives_an_added_endpoint_what_is_written_after_it) {
    Pipeline pipeline;
    Receiver early;
    Receiver late;
    pipeline.add("early", deliver, early);

    pipeline.write("1");
    pipeline.add("late", deliver, late);
    pipeline.write("2");
    pipeline.poll();

    EXPECT_EQ(early.ids, (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(late.ids, (std::vector<std::string>{"2"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Broadcaster, lets_a_removed_endpoint_deliver_what_it_has) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", deliver, receiver);

    pipeline.write("1");
    pipeline.broadcaster.remove(endpoint, 1s);
    pipeline.write("2");
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (std::vector<std::string>{"1"}));
    EXPECT_TRUE(pipeline.snapshot().endpoints.empty());
    EXPECT_CONSERVED(endpoint->snapshot());
}

TEST(Broadcaster, drops_what_a_removed_endpoint_cannot_deliver_in_time) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("dead", refuse, receiver);
    pipeline.write_many(10);
    pipeline.poll();

    pipeline.broadcaster.remove(endpoint, 5s);
    pipeline.advance(4s);
    EXPECT_EQ(endpoint->snapshot().pending_events, 10U);
    pipeline.advance(1s);

    EXPECT_EQ(endpoint->snapshot().metrics.dropped_events(DropReason::removed), 10U);
    EXPECT_CONSERVED(endpoint->snapshot());
}

TEST(Broadcaster, still_counts_a_removed_endpoint_that_has_not_ended) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("dead", refuse, receiver);
    pipeline.write_many(3);
    pipeline.poll();

    pipeline.broadcaster.remove(endpoint, 5s);
    pipeline.poll();

    EXPECT_EQ(pipeline.snapshot_of("dead").pending_events, 3U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Broadcaster, goes_on_when_an_endpoint_cannot_be_started) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options;
    options.name = "broken";
    options.make_sink = [](const SinkContext&) -> std::unique_ptr<Sink> {
        throw std::runtime_error("no sink");
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
    pipeline.add("healthy", deliver, receiver);

    pipeline.write("1");
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (std::vector<std::string>{"1"}));
    EXPECT_EQ(pipeline.log_count("no sink"), 1U);
}

TEST(Broadcaster, does_not_let_a_removed_endpoint_outlast_the_drain) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("dead", refuse, receiver);
    pipeline.write_many(3);
    pipeline.poll();

    pipeline.broadcaster.remove(endpoint, 1h);
    pipeline.poll();
    pipeline.drain(2s);

    EXPECT_EQ(endpoint->snapshot().pending_events, 0U);
    EXPECT_CONSERVED(endpoint->snapshot());
}

TEST(Broadcaster, ignores_a_removal_of_what_it_does_not_have) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", deliver, receiver);
    pipeline.poll();

    pipeline.broadcaster.remove(endpoint, 1s);
    pipeline.broadcaster.remove(endpoint, 1s);
    pipeline.poll();

    EXPECT_TRUE(pipeline.snapshot().endpoints.empty());
}

TEST(Broadcaster, drains_at_once_when_everything_can_be_delivered) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", deliver, receiver);
    pipeline.write_many(5000);

    pipeline.drain(1ms);

    EXPECT_EQ(receiver.ids.size(), 5000U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

/// Guards every attempt with a timeout that is far away.
class TimedSink final : public Sink {
  public:
    explicit TimedSink(const SinkContext& context) : times_(context.deadlines.of(1min)) {}
    awaitable<Outcome> deliver(Attempt /*attempt*/) override {
        times_.arm(timeout_);
        timeout_.disarm();
        co_return Outcome::delivered(200);
    }

  private:
    TimeoutList& times_;
    Timeout timeout_{[] {}};
};

TEST(Broadcaster, leaves_no_alarm_set_that_would_keep_a_loop_from_ending) {
    Pipeline pipeline;
    EndpointOptions options;
    options.make_sink = [](const SinkContext& context) {
        return std::make_unique<TimedSink>(context);
    };
    pipeline.broadcaster.add(std::make_shared<Endpoint>(pipeline.shard, std::move(options)));
    pipeline.write("1");
    pipeline.poll();
    EXPECT_EQ(pipeline.clock.alarm_count(), 1U);

    test::Running<void> drained(pipeline.context,
                                pipeline.broadcaster.drain(pipeline.clock.now() + 10s));
    pipeline.poll();

    EXPECT_TRUE(drained.is_done());
    EXPECT_EQ(pipeline.clock.alarm_count(), 0U);
}

TEST(Broadcaster, returns_payload_bytes_to_the_budget_when_all_endpoints_are_done) {
    Budget budget(1000);
    {
        Pipeline pipeline;
        Receiver fast;
        Receiver slow;
        bool is_back = false;
        pipeline.add("fast", deliver, fast);
        pipeline.add(
            "slow", [&](const Attempt& a) { return is_back ? deliver(a) : refuse(a); }, slow);

        std::shared_ptr<Event> event =
            Event::make(R"({"id":"1"})", {.id = "1"}, MediaType::json, *budget.try_reserve(10));
        pipeline.broadcaster.write({&event, 1});
        event.reset();
        pipeline.poll();
        EXPECT_EQ(budget.bytes_used(), 10U);
        is_back = true;
        pipeline.advance(10s);

        EXPECT_EQ(budget.bytes_used(), 0U);
        EXPECT_CONSERVED(pipeline.snapshot());
    }
}

TEST(Broadcaster, leaves_a_shard_without_endpoints_alone) {
    Pipeline pipeline;
    Log log({}, [](std::string_view) {});
    net::io_context idle_context(1);
    Shard idle(idle_context, pipeline.clock, log);
    Broadcaster broadcaster({&idle});
    EndpointOptions options;
    Receiver receiver;
    options.make_sink = [&](const SinkContext&) {
        return std::make_unique<test::ScriptedSink>(receiver, pipeline.clock, deliver);
    };
    const auto endpoint = std::make_shared<Endpoint>(idle, std::move(options));
    const std::shared_ptr<Event> events[] = {test::make_event("1"), test::make_event("2"),
                                             test::make_event("3")};

    broadcaster.write({&events[0], 1});
    EXPECT_EQ(idle_context.poll(), 0U);
    broadcaster.add(endpoint);
    broadcaster.write({&events[1], 1});
    idle_context.restart();
    EXPECT_GT(idle_context.poll(), 0U);
    broadcaster.remove(endpoint, 1s);
    idle_context.restart();
    idle_context.poll();
    broadcaster.write({&events[2], 1});
    idle_context.restart();
    EXPECT_EQ(idle_context.poll(), 0U);

    EXPECT_EQ(receiver.ids, (std::vector<std::string>{"2"}));
}

/// Two shards on threads of their own, with the real clock.
TEST(Broadcaster, gives_two_shards_the_same_events_in_the_same_order) {
    SteadyClock clock;
    Log log({}, [](std::string_view) {});
    net::io_context first(1);
    net::io_context second(1);
    Shard shards[] = {{first, clock, log}, {second, clock, log}};
    Broadcaster broadcaster({&shards[0], &shards[1]});
    std::vector<Receiver> receivers(6);
    for (std::size_t i = 0; i < receivers.size(); ++i) {
        EndpointOptions options;
        options.name = std::to_string(i);
        options.make_sink = [&receiver = receivers[i], &clock](const SinkContext&) {
            return std::make_unique<test::ScriptedSink>(receiver, clock, deliver);
        };
        broadcaster.add(std::make_shared<Endpoint>(shards[i % 2], std::move(options)));
    }

    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
        writers.emplace_back([&broadcaster, writer] {
            for (int i = 0; i < 1000; ++i) {
                const auto event =
                    test::make_event(std::to_string(writer) + "-" + std::to_string(i));
                broadcaster.write({&event, 1});
            }
        });
    }
    Snapshot end;
    test::Running<bool> finish(
        first,
        [](Broadcaster& b, Clock& c, std::vector<std::thread>& w, Snapshot& s) -> awaitable<bool> {
            for (std::thread& thread : w) thread.join();
            s = co_await b.snapshot();
            co_await b.drain(c.now() + 10s);
            s = co_await b.snapshot();
            co_return true;
        }(broadcaster, clock, writers, end));
    {
        auto guard = net::make_work_guard(second);
        std::thread other([&second] { second.run(); });
        first.run();
        guard.reset();
        other.join();
    }

    EXPECT_EQ(end.ingested_events, 3000U);
    for (const Receiver& receiver : receivers) {
        EXPECT_EQ(receiver.ids.size(), 3000U);
        EXPECT_EQ(receiver.ids, receivers.front().ids);
    }
    for (std::size_t i = 0; i < receivers.size(); ++i) {
        EXPECT_EQ(end.endpoints[i].name, std::to_string(i)) << "in the order of their adding";
    }
    EXPECT_CONSERVED(end);
}

TEST(Broadcaster, applies_all_changes_at_one_place_among_the_events) {
    Pipeline pipeline;
    Receiver removed;
    Receiver added;
    Receiver before;
    Receiver after;
    const auto options_for = [&](const std::string& name, Receiver& receiver) {
        EndpointOptions options;
        options.name = name;
        options.make_sink = [&](const SinkContext&) {
            return std::make_unique<test::ScriptedSink>(receiver, pipeline.clock, deliver);
        };
        return options;
    };
    pipeline.add("removed", deliver, removed);
    pipeline.add("changed", deliver, before);
    pipeline.write("1");
    pipeline.poll();
    pipeline.write("2");
    EndpointChanges changes;
    changes.removed = {"removed", "unknown"};
    changes.changed.push_back(options_for("changed", after));
    changes.changed.push_back(options_for("unknown", after));
    changes.added.push_back(
        std::make_shared<Endpoint>(pipeline.shard, options_for("added", added)));

    EXPECT_TRUE(pipeline.broadcaster.apply(std::move(changes)));
    pipeline.write("3");
    pipeline.poll();

    using Ids = std::vector<std::string>;
    EXPECT_EQ(removed.ids, (Ids{"1", "2"}));
    EXPECT_EQ(added.ids, (Ids{"3"}));
    EXPECT_EQ(before.ids, (Ids{"1"}));
    EXPECT_EQ(after.ids, (Ids{"2", "3"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(Broadcaster, shows_one_endpoint_of_a_name_while_an_older_one_still_drains) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", refuse, receiver);
    pipeline.write_many(3);
    pipeline.poll();
    EndpointChanges changes;
    changes.removed = {"a"};
    changes.drain = 5s;
    pipeline.broadcaster.apply(std::move(changes));
    pipeline.poll();
    EXPECT_EQ(pipeline.snapshot_of("a").pending_events, 3U);

    const auto again = pipeline.add("a", deliver, receiver);
    pipeline.write("new");
    pipeline.poll();

    EXPECT_EQ(pipeline.snapshot().endpoints.size(), 1U);
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.successes(), 1U);
    EXPECT_EQ(pipeline.broadcaster.find("a"), again);
    pipeline.advance(5s);
    EXPECT_EQ(pipeline.log_count(R"("reason":"removed","events":3)"), 1U);
    EXPECT_EQ(pipeline.snapshot().endpoints.size(), 1U);
}

TEST(Broadcaster, changes_nothing_once_it_is_closed) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", deliver, receiver);
    pipeline.broadcaster.close();
    EndpointChanges changes;
    changes.removed = {"a"};

    EXPECT_FALSE(pipeline.broadcaster.apply(std::move(changes)));

    EXPECT_NE(pipeline.broadcaster.find("a"), nullptr);
}

}  // namespace
}  // namespace fanfare
