#include <gtest/gtest.h>

#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using test::make_event;
using test::Pipeline;
using test::Receiver;
using test::refuse;
using Strings = std::vector<std::string>;

TEST(EndpointControl, pause_holds_events_and_resume_lets_them_go) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", deliver, receiver);
    endpoint->pause();

    pipeline.write_many(3);
    pipeline.advance(1h);
    EXPECT_EQ(receiver.attempts, 0U);
    EXPECT_TRUE(pipeline.snapshot_of("a").is_paused);
    endpoint->resume();
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (Strings{"0", "1", "2"}));
    EXPECT_FALSE(pipeline.snapshot_of("a").is_paused);
}

TEST(EndpointControl, resume_wakes_all_workers_that_there_is_work_for) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options;
    options.max_in_flight = 8;
    const auto endpoint = pipeline.add("a", deliver, receiver, std::move(options));
    endpoint->pause();
    pipeline.write_many(1000);
    pipeline.poll();

    endpoint->resume();
    pipeline.poll();

    EXPECT_EQ(receiver.ids.size(), 1000U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointControl, a_paused_endpoint_ends_when_its_time_is_up) {
    Pipeline pipeline;
    Receiver receiver;
    pipeline.add("a", deliver, receiver)->pause();
    pipeline.write_many(3);
    pipeline.poll();

    pipeline.drain(5s);

    EXPECT_EQ(pipeline.snapshot_of("a").metrics.dropped_events(DropReason::shutdown), 3U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointControl, purge_drops_what_waits) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", refuse, receiver);
    pipeline.write_many(5000);
    pipeline.poll();

    EXPECT_EQ(endpoint->purge(), 5000U);
    pipeline.poll();

    const EndpointSnapshot snapshot = pipeline.snapshot_of("a");
    EXPECT_EQ(snapshot.pending_events, 0U);
    EXPECT_EQ(snapshot.pending_bytes, 0U);
    EXPECT_EQ(snapshot.metrics.dropped_events(DropReason::purged), 5000U);
    EXPECT_CONSERVED(snapshot);
}

// They have been accepted, wherever they are.
TEST(EndpointControl, purge_drops_also_what_is_on_its_way_to_the_endpoint) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", refuse, receiver);
    endpoint->pause();
    pipeline.write_many(5000);

    EXPECT_EQ(test::run(pipeline.context, pipeline.broadcaster.purge(endpoint)), 5000U);

    pipeline.write("later");
    pipeline.poll();
    EXPECT_EQ(pipeline.snapshot_of("a").pending_events, 1U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointControl, replayed_events_go_behind_all_others_and_past_the_filter) {
    Pipeline pipeline;
    Receiver receiver;
    EndpointOptions options;
    options.filter = std::make_unique<IgnoreFilter>(std::vector<std::string>{},
                                                    std::vector<std::string>{"pull"});
    const auto endpoint = pipeline.add("a", deliver, receiver, std::move(options));
    endpoint->pause();
    pipeline.write("1");

    EXPECT_TRUE(pipeline.broadcaster.replay(endpoint, {{make_event("old", "pull")}}));
    pipeline.write("2");
    pipeline.poll();
    endpoint->resume();
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (Strings{"1", "old", "2"}));
    const Snapshot snapshot = pipeline.snapshot();
    EXPECT_EQ(snapshot.ingested_events, 2U);
    EXPECT_EQ(snapshot.endpoints[0].metrics.replayed_events(), 1U);
    EXPECT_CONSERVED(snapshot);
}

TEST(EndpointControl, nothing_is_replayed_after_the_end) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", deliver, receiver);
    pipeline.drain(0s);

    EXPECT_FALSE(pipeline.broadcaster.replay(endpoint, {{make_event("old")}}));
}

TEST(EndpointControl, a_test_goes_past_queue_pause_and_counters) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", refuse, receiver);
    endpoint->pause();
    pipeline.poll();

    const Outcome outcome = test::run(pipeline.context, endpoint->test(make_event("ping")));

    EXPECT_EQ(outcome.http_status(), 500);
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.failures(), 0U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointControl, remembers_its_last_attempts) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add(
        "a",
        [](const Attempt& a) {
            return a.batch.front()->seq() % 2 == 0 ? Outcome::retry(Reason::timeout) : deliver(a);
        },
        receiver);
    pipeline.write_many(1);
    pipeline.advance(1s);
    pipeline.write(std::string(80, 'x'));
    pipeline.poll();

    const std::vector<AttemptRecord> records = endpoint->attempts(20);

    ASSERT_EQ(records.size(), 11U);
    EXPECT_EQ(records[0].error, Reason::timeout);
    EXPECT_EQ(records[0].number, 10U);
    EXPECT_EQ(records[0].seq, 2U);
    EXPECT_EQ(records[0].event_id, std::string(64, 'x'));
    EXPECT_EQ(records[10].status, 200);
    EXPECT_EQ(records[10].event_id, "0");
    EXPECT_EQ(records[9].began_at - records[10].began_at, 1s);
    EXPECT_EQ(endpoint->attempts(3).size(), 3U);
    pipeline.write_many(500);
    pipeline.advance(10min);
    EXPECT_EQ(endpoint->attempts(1000).size(), 100U);
}

TEST(EndpointControl, is_found_by_its_name_as_long_as_it_is_there) {
    Pipeline pipeline;
    Receiver receiver;
    const auto endpoint = pipeline.add("a", deliver, receiver);

    EXPECT_EQ(pipeline.broadcaster.find("a"), endpoint);
    EXPECT_EQ(pipeline.broadcaster.find("b"), nullptr);
    pipeline.broadcaster.remove(endpoint, 0s);

    EXPECT_EQ(pipeline.broadcaster.find("a"), nullptr);
}

}  // namespace
}  // namespace fanfare
