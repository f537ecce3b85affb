// Events that are given up or taken away while attempts are under way.
#include <gtest/gtest.h>

#include "support/hanging.h"
#include "support/letters.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Hanging;
using test::Letters;
using test::make_event;
using test::Pipeline;
using test::Receiver;
using Strings = std::vector<std::string>;

using Numbers = std::vector<std::int64_t>;

class EndpointGivesUp : public testing::Test {
  protected:
    /// An endpoint `a` at the hanging receiver.
    std::shared_ptr<Endpoint> add(EndpointOptions options) {
        options.name = "a";
        options.make_sink = hanging_.maker();
        options.dead_letters = &letters_;
        const auto endpoint = std::make_shared<Endpoint>(pipeline_.shard, std::move(options));
        pipeline_.broadcaster.add(endpoint);
        return endpoint;
    }

    EndpointSnapshot state() { return pipeline_.snapshot_of("a"); }

    Pipeline pipeline_;
    Receiver receiver_;
    Letters letters_;
    Hanging hanging_{pipeline_};
};

EndpointOptions gone_disables(unsigned max_in_flight) {
    EndpointOptions options;
    options.retry.gone_disables = true;
    options.max_in_flight = max_in_flight;
    return options;
}

TEST_F(EndpointGivesUp, all_of_a_receiver_that_is_gone_oldest_first_with_its_story) {
    EndpointOptions options = gone_disables(1);
    add(std::move(options));
    pipeline_.write_many(3000);
    pipeline_.poll();
    hanging_.answer(Outcome::refused(500));

    hanging_.answer(Outcome::refused(410));

    Strings expected;
    for (int i = 0; i < 3000; ++i) expected.push_back(std::to_string(i));
    EXPECT_EQ(letters_.ids(), expected);
    EXPECT_EQ(letters_.all[0].attempts, 2U);
    EXPECT_EQ(letters_.all[1].attempts, 0U);
    EXPECT_EQ(letters_.all[1].last_status, 410);
    EXPECT_EQ(hanging_.under_way(), 0U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointGivesUp, what_other_workers_had_under_way_when_the_receiver_went) {
    add(gone_disables(4));
    pipeline_.write_many(4);
    pipeline_.poll();
    ASSERT_EQ(hanging_.under_way(), 4U);

    hanging_.answer(Outcome::refused(410));
    hanging_.answer(Outcome::refused(503, 5s));
    hanging_.answer(Outcome::retry(Reason::timeout));
    hanging_.answer(Outcome::delivered(200));
    pipeline_.advance(1h);

    EXPECT_EQ(hanging_.under_way(), 0U) << "nothing is sent to who is gone";
    EXPECT_EQ(state().metrics.dead_letters(DeadReason::gone), 3U);
    EXPECT_EQ(letters_.all[1].last_status, 503);
    EXPECT_EQ(letters_.all[2].last_error, Reason::timeout);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointGivesUp, again_what_is_replayed_to_a_receiver_that_is_gone) {
    const auto endpoint = add(gone_disables(1));
    pipeline_.write("1");
    pipeline_.poll();
    hanging_.answer(Outcome::refused(410));

    pipeline_.broadcaster.replay(endpoint, {{make_event("1")}});
    pipeline_.poll();

    EXPECT_EQ(letters_.ids(), (Strings{"1", "1"}));
    EXPECT_EQ(hanging_.under_way(), 0U);
}

TEST_F(EndpointGivesUp, what_is_too_old_also_while_nothing_may_be_sent) {
    EndpointOptions options;
    options.retry.age_max = 10s;
    const auto endpoint = add(std::move(options));
    endpoint->pause();
    pipeline_.write("1");
    pipeline_.advance(6s);
    pipeline_.write("2");
    pipeline_.advance(4s);

    EXPECT_EQ(letters_.ids(), (Strings{"1"}));
    pipeline_.advance(6s);
    EXPECT_EQ(letters_.ids(), (Strings{"1", "2"}));
    EXPECT_EQ(letters_.all[1].reason, DeadReason::max_age);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointGivesUp, what_grows_too_old_while_it_waits_for_its_next_attempt) {
    for (const unsigned max_in_flight : {1U, 2U}) {
        Pipeline pipeline;
        Letters letters;
        Receiver receiver;
        EndpointOptions options;
        options.max_in_flight = max_in_flight;
        options.dead_letters = &letters;
        options.retry.strategy = RetryPolicy::Strategy::exponential;
        options.retry.schedule = {5s, 6h};
        options.retry.age_max = 1h;
        pipeline.add(
            "a", [](const Attempt&) { return Outcome::refused(500); }, receiver,
            std::move(options));
        pipeline.write("1");

        pipeline.advance(59min);
        EXPECT_EQ(letters.all.size(), 0U);
        pipeline.advance(1min);

        ASSERT_EQ(letters.all.size(), 1U);
        EXPECT_EQ(letters.all[0].reason, DeadReason::max_age);
        EXPECT_EQ(letters.all[0].attempts, 2U);
        EXPECT_EQ(receiver.attempts, 2U);
        EXPECT_CONSERVED(pipeline.snapshot());
    }
}

TEST_F(EndpointGivesUp, no_event_that_is_under_way_for_its_age) {
    EndpointOptions options;
    options.retry.age_max = 10s;
    add(std::move(options));
    pipeline_.write("1");
    pipeline_.advance(1min);
    EXPECT_EQ(letters_.all.size(), 0U);

    hanging_.answer(Outcome::delivered(200));

    EXPECT_EQ(state().metrics.successes(), 1U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointGivesUp, events_that_no_request_can_be_made_of_without_blaming_the_receiver) {
    EndpointOptions options;
    options.retry.threshold = 3;
    add(std::move(options));
    pipeline_.write_many(20);
    pipeline_.poll();

    for (int i = 0; i < 19; ++i) hanging_.answer(Outcome::reject(Reason::exception));

    ASSERT_EQ(hanging_.under_way(), 1U) << "the breaker is closed";
    hanging_.answer(Outcome::delivered(200));
    const EndpointSnapshot snapshot = state();
    EXPECT_TRUE(snapshot.is_up);
    EXPECT_EQ(snapshot.metrics.errors(), 0U);
    EXPECT_EQ(snapshot.metrics.failures(), 0U);
    EXPECT_EQ(snapshot.metrics.dead_letters(DeadReason::exception), 19U);
    EXPECT_CONSERVED(snapshot);
}

TEST_F(EndpointGivesUp, in_a_purge_only_what_is_not_under_way) {
    for (const char* const order_by : {"", "/action"}) {
        EndpointOptions options;
        options.max_in_flight = 2;
        options.order_by = order_by;
        Pipeline pipeline;
        Hanging hanging(pipeline);
        options.name = "a";
        options.make_sink = hanging.maker();
        const auto endpoint = std::make_shared<Endpoint>(pipeline.shard, std::move(options));
        pipeline.broadcaster.add(endpoint);
        pipeline.write("1", "push");
        pipeline.write("2", "pull");
        pipeline.write("3", "push");
        pipeline.poll();
        ASSERT_EQ(hanging.under_way(), 2U);

        EXPECT_EQ(endpoint->purge(), 1U);
        hanging.answer(Outcome::delivered(200));
        hanging.answer(Outcome::refused(500));
        hanging.answer(Outcome::delivered(200));

        const EndpointSnapshot snapshot = pipeline.snapshot_of("a");
        EXPECT_EQ(snapshot.metrics.successes(), 2U);
        EXPECT_EQ(snapshot.metrics.dropped_events(DropReason::purged), 1U);
        EXPECT_EQ(snapshot.pending_events, 0U);
        EXPECT_CONSERVED(snapshot);
    }
}

// SPEC 13: no endpoint delays the exit.
TEST_F(EndpointGivesUp, a_ping_that_hangs_when_it_ends) {
    const auto endpoint = add({});
    test::Running<Outcome> ping(pipeline_.context, endpoint->test(make_event("ping")));
    pipeline_.poll();
    ASSERT_EQ(hanging_.under_way(), 1U);

    pipeline_.drain(0s);

    ASSERT_TRUE(ping.is_done());
    EXPECT_EQ(ping.get().verdict(), Verdict::aborted);
}

TEST_F(EndpointGivesUp, no_time_of_ingest_while_it_is_paused) {
    const auto endpoint = add({});
    pipeline_.write("1");
    pipeline_.poll();
    endpoint->pause();
    pipeline_.write("2");
    pipeline_.poll();
    hanging_.answer(Outcome::delivered(200));

    EXPECT_FALSE(pipeline_.shard.has_backlog());
}

TEST_F(EndpointGivesUp, letters_of_replayed_events_once_those_have_come_to_an_end) {
    EndpointOptions options;
    options.retry.permanent = {{400, 400}};
    const auto endpoint = add(std::move(options));
    pipeline_.broadcaster.replay(
        endpoint, {{make_event("1"), 11}, {make_event("2"), 12}, {make_event("3"), 13}});
    pipeline_.write("4");
    pipeline_.poll();

    hanging_.answer(Outcome::retry(Reason::timeout));
    EXPECT_EQ(letters_.discarded, Numbers{});
    hanging_.answer(Outcome::delivered(200));
    EXPECT_EQ(letters_.discarded, Numbers{11});
    hanging_.answer(Outcome::refused(400));
    EXPECT_EQ(letters_.discarded, (Numbers{11, 12}));
    EXPECT_EQ(letters_.ids(), Strings{"2"});
    endpoint->pause();
    hanging_.answer(Outcome::refused(500));
    endpoint->purge();

    EXPECT_EQ(letters_.discarded, (Numbers{11, 12, 13}));
    EXPECT_EQ(letters_.kept, Numbers{});
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointGivesUp, no_letter_of_an_event_that_was_not_delivered_when_all_ends) {
    const auto endpoint = add({});
    pipeline_.broadcaster.replay(endpoint, {{make_event("1"), 11}, {make_event("2"), 12}});
    pipeline_.poll();

    pipeline_.drain(0s);

    EXPECT_EQ(letters_.discarded, Numbers{});
    EXPECT_EQ(letters_.kept, (Numbers{11, 12}));
}

TEST_F(EndpointGivesUp, nothing_to_one_that_was_removed) {
    const auto endpoint = add({});
    pipeline_.broadcaster.remove(endpoint, 0s);
    pipeline_.poll();

    EXPECT_FALSE(pipeline_.broadcaster.replay(endpoint, {{make_event("1")}}));
}

}  // namespace
}  // namespace fanfare
