// An endpoint whose queue is fed by a log that several processes share.
#include "shared_support.h"

namespace fanfare::test {
namespace {

using SharedQueues = SharedTest;

TEST_F(SharedQueues, event_goes_from_one_process_by_the_log_to_a_receiver) {
    first().add("audit", deliver, receiver_);
    SharedPipeline& second = begin();
    poll();

    second.store("a");
    poll();

    EXPECT_EQ(second.results, std::vector{Stored::stored});
    EXPECT_EQ(receiver_.ids, Strings{"a"});
    EXPECT_EQ(pending("audit"), 0U);
    EXPECT_EQ(first().snapshot_of("audit").metrics.successes(), 1U);
    expect_shared_conserved(first().snapshot_of("audit"));
}

TEST_F(SharedQueues, every_endpoint_gets_every_event_once) {
    Receiver other;
    SharedPipeline& second = begin();
    for (SharedPipeline* const process : {&first(), &second}) {
        process->add("audit", deliver, receiver_);
        process->add("scan", deliver, other, many_at_once());
    }
    poll();

    first().store_many(50);
    poll();

    EXPECT_EQ(receiver_.ids, numbers(0, 50));
    EXPECT_EQ(sorted(other.ids), sorted(numbers(0, 50)));
}

TEST_F(SharedQueues, what_is_not_wanted_is_done_with_at_once) {
    EndpointOptions options;
    options.filter = std::make_shared<ActionFilter>("push");
    first().add("audit", refuse, receiver_, std::move(options));
    poll();

    first().store("a", "pull");
    first().store("b", "pull");
    poll();

    EXPECT_EQ(receiver_.attempts, 0U);
    EXPECT_EQ(place("audit").done, (std::vector<std::uint64_t>{1, 2}));
    const EndpointSnapshot snapshot = first().snapshot_of("audit");
    EXPECT_EQ(snapshot.metrics.ignored_events(), 2U);
    EXPECT_EQ(snapshot.metrics.offered_events(), 2U);
    expect_shared_conserved(snapshot);
}

TEST_F(SharedQueues, event_has_the_number_and_the_time_that_the_log_gave) {
    std::uint64_t seq = 0;
    TimePoint accepted;
    first().add(
        "audit",
        [&](const Attempt& attempt) {
            seq = attempt.batch.front()->seq();
            accepted = attempt.batch.front()->accepted();
            return Outcome::delivered(200);
        },
        receiver_);
    poll();
    world_.log.last_seq = 41;
    const TimePoint stored = world_.clock.now();

    first().store("a");
    poll();

    EXPECT_EQ(seq, 42U);
    EXPECT_EQ(first().written.first_seq, 42U);
    EXPECT_LT(std::chrono::abs(accepted - stored), 1ms);
    EXPECT_EQ(first().broadcaster.find("audit")->fate(42).state, EventState::delivered);
}

TEST_F(SharedQueues, no_more_is_asked_for_than_may_be_in_flight) {
    for (const unsigned window : {1U, 4U, 64U}) {
        const std::string name = "audit-" + std::to_string(window);
        first().attempts_take = 10ms;
        first().add(name, deliver, receiver_, many_at_once(window));
        poll();
    }
    first().store_many(500);
    for (int i = 0; i < 100; ++i) {
        advance(5ms);
        for (const unsigned window : {1U, 4U, 64U}) {
            const std::string name = "audit-" + std::to_string(window);
            const EndpointSnapshot snapshot = first().snapshot_of(name);
            EXPECT_LE(snapshot.shared->held + first().link.fetcher(name).allowed, window);
            EXPECT_LE(snapshot.in_flight_requests, window);
        }
    }
    EXPECT_EQ(pending("audit-64"), 0U);
}

TEST_F(SharedQueues, ignored_events_do_not_use_up_what_may_come) {
    EndpointOptions options;
    options.filter = std::make_shared<ActionFilter>("push");
    first().add("audit", deliver, receiver_, std::move(options));
    poll();
    for (int i = 0; i < 100; ++i) first().store("no " + std::to_string(i), "pull");
    first().store("yes");
    poll();

    EXPECT_EQ(receiver_.ids, Strings{"yes"});
}

TEST_F(SharedQueues, backlog_is_known_without_being_here) {
    first().add("audit", refuse, receiver_);
    poll();
    first().store_many(30);
    poll();
    advance(2s);

    const EndpointSnapshot snapshot = first().snapshot_of("audit");
    EXPECT_EQ(snapshot.pending_events, 30U);
    EXPECT_EQ(snapshot.shared->held, 1U);
    EXPECT_EQ(snapshot.shared->with_others, 1U);
    EXPECT_EQ(snapshot.oldest_pending, 2s);
    EXPECT_LT(snapshot.pending_bytes, 100U);
}

TEST_F(SharedQueues, what_is_held_stays_with_its_process_however_long) {
    const auto endpoint = first().add("audit", deliver, receiver_, many_at_once());
    SharedPipeline& second = begin();
    poll();
    endpoint->pause();
    first().store_many(4);
    poll();
    second.add("audit", deliver, receiver_, many_at_once());

    advance(10min);
    EXPECT_TRUE(receiver_.ids.empty());
    endpoint->resume();
    poll();

    EXPECT_EQ(sorted(receiver_.ids), numbers(0, 4));
    for (const unsigned number : receiver_.numbers) EXPECT_EQ(number, 1U);
}

TEST_F(SharedQueues, event_that_comes_again_while_it_is_held_is_sent_once) {
    const auto endpoint = first().add("audit", deliver, receiver_, many_at_once(2));
    poll();
    endpoint->pause();
    first().store("a");
    poll();
    world_.log.loses_working = true;
    advance(25s);
    EXPECT_GT(place("audit").given.at(1).deliveries, 1U);

    endpoint->resume();
    advance(25s);

    EXPECT_EQ(receiver_.ids, Strings{"a"});
    EXPECT_EQ(pending("audit"), 0U);
    expect_shared_conserved(first().snapshot_of("audit"));
}

TEST_F(SharedQueues, event_whose_end_the_log_has_not_heard_of_is_sent_once) {
    first().add("audit", deliver, receiver_, many_at_once());
    poll();
    world_.log.loses_settles = true;
    first().store_many(3);
    poll();
    EXPECT_EQ(pending("audit"), 3U);
    world_.log.loses_settles = false;
    advance(15s);

    EXPECT_EQ(receiver_.ids, numbers(0, 3));
    EXPECT_EQ(pending("audit"), 0U);
}

TEST_F(SharedQueues, damaged_entry_is_counted_and_holds_up_nothing) {
    first().add("audit", deliver, receiver_);
    poll();
    first().store("a");
    world_.log.entries.at(1).is_damaged = true;
    world_.log.places["audit"].front().next = 1;
    world_.log.places["audit"].front().given.clear();
    first().store("b");
    poll();

    EXPECT_EQ(receiver_.ids.back(), "b");
    EXPECT_EQ(pending("audit"), 0U);
}

TEST_F(SharedQueues, meta_events_go_to_those_who_ask_and_not_to_whom_they_are_about) {
    Receiver others;
    EndpointOptions asks = many_at_once();
    asks.asks_for_meta = true;
    first().add("ops", deliver, receiver_, std::move(asks));
    first().add("audit", deliver, others);
    EndpointOptions too;
    too.asks_for_meta = true;
    first().add("broken", deliver, others, std::move(too));
    poll();

    EXPECT_TRUE(first().broadcaster.write_meta(make_event("m", "endpoint.down", MediaType::meta),
                                               "broken"));
    poll();

    EXPECT_EQ(receiver_.ids, Strings{"m"});
    EXPECT_TRUE(others.ids.empty());
    EXPECT_EQ(first().snapshot_of("ops").metrics.meta_events(), 1U);
    EXPECT_EQ(first().snapshot_of("audit").metrics.offered_events(), 0U);
    EXPECT_EQ(pending("audit") + pending("broken"), 0U);
    EXPECT_EQ(run(world_.context, first().broadcaster.snapshot()).ingested_events, 0U);
}

TEST_F(SharedQueues, replay_goes_to_its_endpoint_only_past_its_filter) {
    Receiver others;
    EndpointOptions options;
    options.filter = std::make_shared<ActionFilter>("push");
    options.dead_letters = &letters_;
    const auto endpoint = first().add("audit", deliver, receiver_, std::move(options));
    first().add("scan", deliver, others);
    poll();

    std::vector<Replayed> replayed{{make_event("a", "pull"), 7}};
    EXPECT_TRUE(first().broadcaster.replay(endpoint, std::move(replayed)));
    poll();

    EXPECT_EQ(receiver_.ids, Strings{"a"});
    EXPECT_TRUE(others.ids.empty());
    EXPECT_EQ(letters_.discarded, std::vector<std::int64_t>{7});
    const EndpointSnapshot snapshot = first().snapshot_of("audit");
    EXPECT_EQ(snapshot.metrics.replayed_events(), 1U);
    expect_shared_conserved(snapshot);
}

TEST_F(SharedQueues, replay_that_is_not_stored_keeps_its_letter) {
    EndpointOptions options;
    options.dead_letters = &letters_;
    const auto endpoint = first().add("audit", deliver, receiver_, std::move(options));
    poll();
    for (const Trouble trouble : {Trouble::full, Trouble::unavailable, Trouble::overloaded}) {
        world_.log.trouble = trouble;
        letters_.kept.clear();
        first().broadcaster.replay(endpoint, {{make_event("a"), 7}});
        poll();
        EXPECT_EQ(letters_.kept, std::vector<std::int64_t>{7});
    }
    EXPECT_TRUE(letters_.discarded.empty());
    EXPECT_TRUE(receiver_.ids.empty());
}

TEST_F(SharedQueues, purge_takes_what_waits_in_the_log_too) {
    const auto endpoint = first().add("audit", refuse, receiver_, many_at_once());
    poll();
    first().store_many(20);
    poll();

    EXPECT_EQ(run(world_.context, first().broadcaster.purge(endpoint)), 20U);
    advance(30s);

    EXPECT_EQ(pending("audit"), 0U);
    EXPECT_EQ(receiver_.attempts, 4U);
    const EndpointSnapshot snapshot = first().snapshot_of("audit");
    EXPECT_EQ(snapshot.metrics.dropped_events(DropReason::purged), 20U);
    first().store("after");
    poll();
    EXPECT_EQ(pending("audit"), 1U);
}

TEST_F(SharedQueues, purge_that_the_log_does_not_answer_is_no_purge) {
    const auto endpoint = first().add("audit", refuse, receiver_, many_at_once());
    poll();
    first().store_many(20);
    poll();

    first().link.cut_off();
    EXPECT_EQ(run(world_.context, first().broadcaster.purge(endpoint)), std::nullopt);

    EXPECT_EQ(pending("audit"), 20U);
    EXPECT_NE(first().log_lines.back().find("could not be purged"), std::string::npos);
}

TEST_F(SharedQueues, more_in_flight_is_allowed_at_once_by_a_reload) {
    first().attempts_take = 1h;
    const auto endpoint = first().add("audit", deliver, receiver_);
    poll();
    first().store_many(10);
    poll();
    EXPECT_EQ(first().snapshot_of("audit").in_flight_requests, 1U);

    EndpointChanges changes;
    EndpointOptions options = many_at_once(8);
    options.name = "audit";
    options.make_sink = [this](const SinkContext&) {
        return std::make_unique<SlowSink>(world_.clock, 1h, receiver_, deliver);
    };
    changes.changed.push_back(std::move(options));
    first().broadcaster.apply(std::move(changes));
    advance(1h + 1s);

    EXPECT_EQ(first().snapshot_of("audit").in_flight_requests, 8U);
    advance(2h);
    EXPECT_EQ(sorted(receiver_.ids), sorted(numbers(0, 10)));
}

}  // namespace
}  // namespace fanfare::test
