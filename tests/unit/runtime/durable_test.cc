// Events that are stored: Broadcaster::store, DurableQueue, and an endpoint that has one.
#include <gtest/gtest.h>

#include <set>

#include "durable_support.h"

namespace fanfare::test {
namespace {

TEST_F(DurableTest, event_is_offered_once_it_is_stored) {
    process_->add("audit", deliver, receiver_);

    process_->store("a");
    EXPECT_TRUE(process_->results.empty());
    process_->poll();

    EXPECT_EQ(process_->results, std::vector{Stored::stored});
    EXPECT_EQ(receiver_.ids, Strings{"a"});
    expect_conserved(process_->snapshot_of("audit"));
}

TEST_F(DurableTest, event_that_finds_no_room_is_refused_and_not_sent) {
    process_->add("audit", deliver, receiver_);
    durable_.store.before_commit = [](const Changes& changes) {
        if (!changes.events.empty()) throw StoreFull("full");
    };

    process_->store("a");
    process_->poll();

    EXPECT_EQ(process_->results, std::vector{Stored::full});
    EXPECT_TRUE(receiver_.ids.empty());
    EXPECT_EQ(process_->snapshot_of("audit").metrics.offered_events(), 0U);
}

TEST_F(DurableTest, store_that_breaks_refuses_and_sends_nothing) {
    process_->add("audit", deliver, receiver_);
    durable_.store.before_commit = [](const Changes&) { throw StoreBroken("gone"); };

    process_->store("a");
    process_->poll();
    process_->store("b");
    process_->poll();

    EXPECT_EQ(process_->results, (std::vector{Stored::failed, Stored::failed}));
    EXPECT_EQ(process_->broken.size(), 1U);
    EXPECT_TRUE(receiver_.ids.empty());
}

TEST_F(DurableTest, nothing_is_stored_after_close) {
    process_->add("audit", deliver, receiver_);
    process_->broadcaster.close();

    process_->store("a");

    EXPECT_EQ(process_->results, std::vector{Stored::closed});
}

TEST_F(DurableTest, store_of_nothing_tells_when_all_before_is_stored) {
    process_->store("a");
    process_->broadcaster.store({}, [this](Stored result, Broadcaster::Written written) {
        process_->results.push_back(result);
        EXPECT_EQ(written.last_seq, 0U);
    });
    EXPECT_TRUE(process_->results.empty());
    process_->poll();

    EXPECT_EQ(process_->results, (std::vector{Stored::stored, Stored::stored}));
}

TEST_F(DurableTest, store_of_nothing_is_answered_when_nothing_is_under_way) {
    process_->broadcaster.store(
        {}, [this](Stored result, Broadcaster::Written) { process_->results.push_back(result); });
    process_->poll();

    EXPECT_EQ(process_->results, std::vector{Stored::stored});
}

TEST_F(DurableTest, events_wait_on_disk_for_those_that_want_them_only) {
    EndpointOptions pulls;
    pulls.filter = std::make_unique<MatchFilter>(
        std::vector<MatchRule>{{"/action", MatchRule::Op::in, {"pull"}, {}}});
    Receiver other;
    process_->add("audit", refuse, receiver_);
    process_->add("pulls", deliver, other, std::move(pulls));

    process_->store("a", "push");
    process_->store("b", "pull");
    process_->advance(200ms);

    EXPECT_EQ(process_->stored_for("audit"), 2U);
    EXPECT_EQ(process_->stored_for("pulls"), 0U);
    EXPECT_EQ(other.ids, Strings{"b"});
    EXPECT_EQ(process_->snapshot_of("pulls").metrics.ignored_events(), 1U);
}

TEST_F(DurableTest, delivered_events_leave_the_disk_within_a_tenth_of_a_second) {
    process_->add("audit", deliver, receiver_);
    store_many(3);
    process_->poll();
    EXPECT_EQ(process_->stored_for("audit"), 3U);

    process_->advance(100ms);

    EXPECT_EQ(process_->stored_for("audit"), 0U);
}

TEST_F(DurableTest, steps_of_the_wall_clock_make_no_event_too_old) {
    EndpointOptions options;
    options.retry.age_max = 10min;
    process_->window.events_max = 2;
    process_->add("audit", refuse, receiver_, std::move(options));
    store_many(6);
    process_->advance(1s);

    for (const auto step : {1h, -2h, 24h * 366, -24h * 731}) {
        durable_.clock.step_wall(step);
        process_->advance(1s);
    }
    EXPECT_EQ(process_->snapshot_of("audit").pending_events, 6U);
    process_->advance(10min);

    EXPECT_EQ(process_->snapshot_of("audit").metrics.dead_letters(DeadReason::max_age), 6U);
}

TEST_F(DurableTest, backlog_beyond_the_window_is_on_disk_and_comes_in_order) {
    bool is_up = false;
    process_->window.events_max = 8;
    process_->add(
        "audit", [&](const Attempt& a) { return is_up ? deliver(a) : refuse(a); }, receiver_);
    store_many(100);
    process_->poll();
    EXPECT_EQ(process_->snapshot_of("audit").pending_events, 100U);

    is_up = true;
    process_->advance(1s);
    store_many(3);
    process_->advance(1s);

    Strings expected = numbers(0, 100);
    for (const std::string& id : numbers(0, 3)) expected.push_back(id);
    EXPECT_EQ(receiver_.ids, expected);
    const EndpointSnapshot snapshot = process_->snapshot_of("audit");
    EXPECT_EQ(snapshot.pending_events, 0U);
    EXPECT_EQ(snapshot.pending_bytes, 0U);
    expect_conserved(snapshot);
}

TEST_F(DurableTest, events_that_come_while_the_backlog_is_read_are_sent_once) {
    process_->window.events_max = 4;
    process_->add(
        "audit",
        [&, more = 50](const Attempt& a) mutable {
            if (more > 0) process_->store("more " + std::to_string(more--));
            return deliver(a);
        },
        receiver_);
    store_many(50);
    process_->advance(1s);

    EXPECT_EQ(receiver_.ids.size(), 100U);
    EXPECT_EQ(std::set<std::string>(receiver_.ids.begin(), receiver_.ids.end()).size(), 100U);
    expect_conserved(process_->snapshot_of("audit"));
}

TEST_F(DurableTest, purge_takes_what_is_behind_the_window_too_and_for_good) {
    process_->window.events_max = 4;
    process_->add("audit", refuse, receiver_);
    store_many(20);
    process_->advance(200ms);

    const auto endpoint = process_->broadcaster.find("audit");
    EXPECT_EQ(run(process_->context, process_->broadcaster.purge(endpoint)), 20U);
    process_->advance(200ms);

    EXPECT_EQ(process_->stored_for("audit"), 0U);
    const EndpointSnapshot snapshot = process_->snapshot_of("audit");
    EXPECT_EQ(snapshot.pending_events, 0U);
    expect_conserved(snapshot);
}

TEST_F(DurableTest, shutdown_does_not_wait_for_an_endpoint_that_backs_off) {
    process_->add("audit", refuse, receiver_);
    store_many(20);
    process_->poll();

    const TimePoint begun = durable_.clock.now();
    process_->drain(20s);

    EXPECT_EQ(durable_.clock.now(), begun);
    EXPECT_EQ(process_->stored_for("audit"), 20U);
}

TEST_F(DurableTest, shutdown_sends_what_can_be_sent) {
    process_->window.events_max = 4;
    const auto endpoint = process_->add("audit", deliver, receiver_);
    process_->poll();
    endpoint->pause();
    store_many(50);
    process_->poll();
    endpoint->resume();

    process_->drain(20s);

    EXPECT_EQ(receiver_.ids.size(), 50U);
}

TEST_F(DurableTest, removed_endpoint_keeps_its_backlog_for_its_return) {
    const auto endpoint = process_->add("audit", refuse, receiver_);
    store_many(3);
    process_->poll();

    process_->broadcaster.remove(endpoint, 20s);
    process_->advance(1s);
    process_->store("not for it");
    process_->advance(1s);
    EXPECT_EQ(process_->stored_for("audit"), 3U);
    process_->add("audit", deliver, receiver_);
    process_->advance(2s);

    EXPECT_EQ(receiver_.ids, numbers(0, 3));
}

TEST_F(DurableTest, order_can_change_while_events_wait) {
    const auto endpoint = process_->add("audit", refuse, receiver_);
    store_many(5);
    process_->advance(100ms);

    EndpointChanges changes;
    EndpointOptions options = many_at_once();
    options.name = "audit";
    options.make_sink = [this](const SinkContext&) {
        return std::make_unique<ScriptedSink>(receiver_, durable_.clock, deliver);
    };
    changes.changed.push_back(std::move(options));
    process_->broadcaster.apply(std::move(changes));
    process_->advance(2s);

    EXPECT_EQ(receiver_.ids.size(), 5U);
    expect_conserved(process_->snapshot_of("audit"));
}

}  // namespace
}  // namespace fanfare::test
