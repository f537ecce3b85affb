// The bounds of an endpoint's queue (SPEC 12).
#include <gtest/gtest.h>

#include <random>

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
using test::ScriptedSink;
using Strings = std::vector<std::string>;

std::size_t bytes_of_one() { return make_event("0")->payload().size(); }

QueueBounds bounded(std::size_t events, std::size_t bytes, Overflow overflow) {
    return {events, bytes, overflow};
}

EndpointOptions with_bounds(QueueBounds bounds) {
    EndpointOptions options;
    options.bounds = bounds;
    return options;
}

/// An endpoint `a` whose receiver answers when it is told to, at first not at all.
class EndpointOverflow : public testing::Test {
  protected:
    std::shared_ptr<Endpoint> add(EndpointOptions options) {
        options.name = "a";
        options.make_sink = hanging_.maker();
        options.dead_letters = &letters_;
        const auto endpoint = std::make_shared<Endpoint>(pipeline_.shard, std::move(options));
        pipeline_.broadcaster.add(endpoint);
        pipeline_.poll();
        return endpoint;
    }

    void reconfigure(QueueBounds bounds) {
        EndpointOptions options = with_bounds(bounds);
        options.name = "a";
        options.make_sink = hanging_.maker();
        options.dead_letters = &letters_;
        EndpointChanges changes;
        changes.changed.push_back(std::move(options));
        pipeline_.broadcaster.apply(std::move(changes));
        pipeline_.poll();
    }

    void write_many(int first, int count) {
        for (int i = first; i < first + count; ++i) {
            pipeline_.write(std::to_string(i));
            pipeline_.poll();
        }
    }

    std::uint64_t dropped() { return state().metrics.dropped_events(DropReason::overflow); }
    EndpointSnapshot state() { return pipeline_.snapshot_of("a"); }

    /// Has all that is pending delivered, and tells in how many requests.
    std::size_t deliver_all() {
        std::size_t count = 0;
        for (; hanging_.under_way() > 0; ++count) hanging_.answer(Outcome::delivered(200));
        return count;
    }

    Pipeline pipeline_;
    Letters letters_;
    Hanging hanging_{pipeline_};
};

/// A receiver that takes nothing until it is told to, and then everything.
struct Switched {
    Receiver receiver;
    bool is_up = false;

    ScriptedSink::Script script() {
        return [this](const Attempt&) {
            return is_up ? Outcome::delivered(200) : Outcome::refused(503);
        };
    }
};

TEST(EndpointBounds, drop_the_oldest_that_is_not_under_way) {
    Pipeline pipeline;
    Switched switched;
    pipeline.add("a", switched.script(), switched.receiver,
                 with_bounds(bounded(3, 0, Overflow::drop_oldest)));

    pipeline.write_many(10);
    pipeline.poll();
    const EndpointSnapshot full = pipeline.snapshot_of("a");
    switched.is_up = true;
    pipeline.advance(1s);

    EXPECT_EQ(full.pending_events, 3U);
    EXPECT_EQ(full.metrics.dropped_events(DropReason::overflow), 7U);
    EXPECT_EQ(switched.receiver.ids, (Strings{"7", "8", "9"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST(EndpointBounds, drop_the_newest_if_that_is_wanted) {
    Pipeline pipeline;
    Switched switched;
    pipeline.add("a", switched.script(), switched.receiver,
                 with_bounds(bounded(3, 0, Overflow::drop_newest)));

    pipeline.write_many(10);
    pipeline.poll();
    switched.is_up = true;
    pipeline.advance(1s);

    EXPECT_EQ(switched.receiver.ids, (Strings{"0", "1", "2"}));
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.dropped_events(DropReason::overflow), 7U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST_F(EndpointOverflow, never_touches_what_is_under_way) {
    add(with_bounds(bounded(2, 0, Overflow::drop_oldest)));

    write_many(0, 5);

    EXPECT_EQ(hanging_.under_way(), 1U);
    EXPECT_EQ(state().pending_events, 2U);
    EXPECT_EQ(dropped(), 3U);
    EXPECT_EQ(deliver_all(), 2U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointOverflow, drops_what_comes_if_all_else_is_under_way) {
    add(with_bounds(bounded(1, 0, Overflow::drop_oldest)));

    write_many(0, 3);

    EXPECT_EQ(state().pending_events, 1U);
    EXPECT_EQ(dropped(), 2U);
    EXPECT_EQ(deliver_all(), 1U);
}

TEST_F(EndpointOverflow, counts_bytes_exactly) {
    const std::size_t one = bytes_of_one();
    add(with_bounds(bounded(0, 3 * one, Overflow::drop_oldest)));

    write_many(0, 3);
    EXPECT_EQ(dropped(), 0U);
    EXPECT_EQ(state().pending_bytes, 3 * one);
    write_many(3, 1);

    EXPECT_EQ(dropped(), 1U);
    EXPECT_EQ(state().pending_bytes, 3 * one);
}

TEST_F(EndpointOverflow, makes_way_for_a_large_event_with_as_many_as_it_takes) {
    const std::size_t one = bytes_of_one();
    add(with_bounds(bounded(0, 10 * one, Overflow::drop_oldest)));
    write_many(0, 10);

    pipeline_.write("x", std::string(4 * one, 'x'));
    pipeline_.poll();

    EXPECT_EQ(dropped(), 5U);
    EXPECT_LE(state().pending_bytes, 10 * one);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointOverflow, drops_an_event_that_is_larger_than_the_bound_and_nothing_else) {
    const std::size_t one = bytes_of_one();
    add(with_bounds(bounded(0, 10 * one, Overflow::drop_oldest)));
    write_many(0, 10);

    pipeline_.write("x", std::string(10 * one, 'x'));
    pipeline_.poll();

    EXPECT_EQ(dropped(), 1U);
    EXPECT_EQ(deliver_all(), 10U);
}

TEST_F(EndpointOverflow, empties_no_queue_for_an_event_that_does_not_fit_beside_what_is_under_way) {
    const std::size_t one = bytes_of_one();
    add(with_bounds(bounded(0, 10 * one, Overflow::drop_oldest)));
    pipeline_.write("x", std::string(5 * one, 'x'));
    write_many(0, 4);
    ASSERT_EQ(dropped(), 0U);

    pipeline_.write("y", std::string(5 * one, 'y'));
    pipeline_.poll();

    EXPECT_EQ(dropped(), 1U);
    EXPECT_EQ(deliver_all(), 5U);
}

TEST_F(EndpointOverflow, gives_up_instead_of_dropping_if_that_is_wanted) {
    add(with_bounds(bounded(2, 0, Overflow::dead_letter)));

    write_many(0, 2);
    hanging_.answer(Outcome::refused(503));
    write_many(2, 3);

    EXPECT_EQ(letters_.ids(), (Strings{"1", "2", "3"}));
    EXPECT_EQ(letters_.all[0].reason, DeadReason::overflow);
    const EndpointMetrics metrics = state().metrics;
    EXPECT_EQ(metrics.dead_letters(DeadReason::overflow), 3U);
    EXPECT_EQ(metrics.dropped_events(), 0U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST(EndpointBounds, give_up_with_the_story_of_the_attempts) {
    Pipeline pipeline;
    Letters letters;
    Switched switched;
    EndpointOptions options = with_bounds(bounded(1, 0, Overflow::dead_letter));
    options.dead_letters = &letters;
    options.strategy = std::make_unique<Breaker>(3, 1s);
    pipeline.add("a", switched.script(), switched.receiver, std::move(options));
    pipeline.write("0");
    pipeline.poll();

    pipeline.write("1");
    pipeline.poll();

    ASSERT_EQ(letters.ids(), Strings{"0"});
    EXPECT_EQ(letters.all[0].attempts, 3U);
    EXPECT_EQ(letters.all[0].last_status, 503);
}

TEST(EndpointBounds, drop_a_batch_that_was_tried_as_a_whole) {
    Pipeline pipeline;
    Switched switched;
    EndpointOptions options = with_bounds(bounded(5, 0, Overflow::drop_oldest));
    options.batch.events_max = 3;
    pipeline.add("a", switched.script(), switched.receiver, std::move(options));

    pipeline.write_many(5);
    pipeline.poll();
    pipeline.write("5");
    pipeline.poll();
    const EndpointSnapshot after = pipeline.snapshot_of("a");
    switched.is_up = true;
    pipeline.advance(1s);

    EXPECT_EQ(after.metrics.dropped_events(DropReason::overflow), 3U);
    EXPECT_EQ(switched.receiver.ids, (Strings{"3", "4", "5"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

TEST_F(EndpointOverflow, leaves_a_letter_whose_event_goes) {
    const auto endpoint = add(with_bounds(bounded(2, 0, Overflow::drop_oldest)));
    write_many(0, 1);
    pipeline_.broadcaster.replay(endpoint, {{make_event("r"), 7}});
    pipeline_.poll();

    write_many(1, 1);

    EXPECT_EQ(letters_.kept, std::vector<std::int64_t>{7});
    EXPECT_EQ(letters_.discarded, std::vector<std::int64_t>{});
    EXPECT_EQ(dropped(), 1U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointOverflow, gives_up_anew_what_was_replayed_if_that_is_the_policy) {
    const auto endpoint = add(with_bounds(bounded(2, 0, Overflow::dead_letter)));
    write_many(0, 1);
    pipeline_.broadcaster.replay(endpoint, {{make_event("r"), 7}});
    pipeline_.poll();

    write_many(1, 1);

    EXPECT_EQ(letters_.ids(), Strings{"r"});
    EXPECT_EQ(letters_.discarded, std::vector<std::int64_t>{7});
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointOverflow, has_nothing_pushed_out_by_a_replay) {
    for (const Overflow policy :
         {Overflow::drop_oldest, Overflow::drop_newest, Overflow::reject, Overflow::dead_letter}) {
        letters_.kept.clear();
        const auto endpoint = add(with_bounds(bounded(2, 0, policy)));
        write_many(0, 2);

        pipeline_.broadcaster.replay(endpoint, {{make_event("r"), 7}, {make_event("s"), 8}});
        pipeline_.poll();

        EXPECT_EQ(letters_.kept, (std::vector<std::int64_t>{7, 8})) << to_string(policy);
        EXPECT_EQ(letters_.all.size(), 0U);
        EXPECT_EQ(deliver_all(), 2U);
        EXPECT_CONSERVED(pipeline_.snapshot());
        pipeline_.broadcaster.remove(endpoint, 0s);
        pipeline_.poll();
    }
}

TEST_F(EndpointOverflow, tells_at_most_once_a_second_of_all_that_was_dropped) {
    add(with_bounds(bounded(1, 0, Overflow::drop_newest)));

    write_many(0, 100);
    EXPECT_EQ(pipeline_.log_count("events dropped"), 1U);
    pipeline_.advance(999ms);
    EXPECT_EQ(pipeline_.log_count("events dropped"), 1U);
    pipeline_.advance(1ms);
    EXPECT_EQ(pipeline_.log_count("events dropped"), 2U);
    EXPECT_EQ(pipeline_.log_count(R"("reason":"overflow","events":98)"), 1U);
    pipeline_.advance(10s);
    EXPECT_EQ(pipeline_.log_count("events dropped"), 2U);
    write_many(100, 3);
    hanging_.answer(Outcome::delivered(200));
    pipeline_.drain(0s);

    EXPECT_EQ(pipeline_.log_count(R"("reason":"overflow","events":1)"), 2U);
    EXPECT_EQ(pipeline_.log_count(R"("reason":"overflow","events":2)"), 1U) << "the rest, at last";
}

TEST_F(EndpointOverflow, takes_smaller_bounds_at_once) {
    add(with_bounds(bounded(0, 0, Overflow::drop_oldest)));
    write_many(0, 5000);

    reconfigure(bounded(10, 0, Overflow::drop_oldest));

    EXPECT_EQ(state().pending_events, 10U);
    EXPECT_EQ(dropped(), 4990U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointOverflow, keeps_what_it_has_under_smaller_bounds_that_are_for_what_comes) {
    for (const Overflow policy : {Overflow::drop_newest, Overflow::reject}) {
        const auto endpoint = add(with_bounds({}));
        write_many(0, 5);

        reconfigure(bounded(2, 0, policy));

        EXPECT_EQ(state().pending_events, 5U) << to_string(policy);
        pipeline_.broadcaster.remove(endpoint, 0s);
        pipeline_.poll();
        deliver_all();
    }
}

TEST_F(EndpointOverflow, drops_what_waits_behind_its_own_key) {
    EndpointOptions options = with_bounds(bounded(3, 0, Overflow::drop_oldest));
    options.max_in_flight = 2;
    options.order_by = "/action";
    add(std::move(options));

    write_many(0, 5);

    EXPECT_EQ(hanging_.under_way(), 1U);
    EXPECT_EQ(state().pending_events, 3U);
    EXPECT_EQ(dropped(), 2U);
    EXPECT_EQ(deliver_all(), 3U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST(EndpointBounds, are_kept_and_the_books_balance_whatever_happens) {
    constexpr unsigned seed = 12;
    std::mt19937 random(seed);
    for (int round = 0; round < 60; ++round) {
        Pipeline pipeline;
        Receiver receiver;
        EndpointOptions options =
            with_bounds(bounded(1 + random() % 8, 200 + random() % 400,
                                static_cast<Overflow>(round % 4 == 2 ? 3 : round % 4)));
        options.max_in_flight = 1 + random() % 3;
        if (random() % 2 == 0) options.order_by = "/action";
        const QueueBounds bounds = options.bounds;
        pipeline.add(
            "a",
            [&](const Attempt&) {
                return random() % 3 == 0 ? Outcome::delivered(200) : Outcome::refused(500);
            },
            receiver, std::move(options));
        for (int i = 0; i < 200; ++i) {
            pipeline.write(std::to_string(i), std::string(random() % 100, 'a'));
            if (random() % 4 == 0) pipeline.advance(std::chrono::milliseconds(random() % 1500));
            pipeline.poll();
            const EndpointSnapshot now = pipeline.snapshot_of("a");
            ASSERT_TRUE(bounds.allow(now.pending_events, now.pending_bytes)) << "seed " << seed;
        }
        EXPECT_CONSERVED(pipeline.snapshot());
    }
}

}  // namespace
}  // namespace fanfare
