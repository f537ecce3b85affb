// Overflow::reject: a writer is refused rather than an event dropped.
#include "runtime/room.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "support/hanging.h"
#include "support/letters.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Hanging;
using test::make_event;
using test::Pipeline;
using test::Receiver;

QueueBounds rejecting(std::size_t events, std::size_t bytes = 0) {
    return {events, bytes, Overflow::reject};
}

class NothingIgnored final : public Filter {
  public:
    bool wants(const Event&) const noexcept override { return false; }
};

/// Endpoints whose receiver answers when it is told to.
class RoomAtEndpoints : public testing::Test {
  protected:
    /// What was written and not dispatched must not meet a receiver that is gone.
    void TearDown() override { pipeline_.poll(); }

    EndpointOptions options(const std::string& name, QueueBounds bounds) {
        EndpointOptions options;
        options.name = name;
        options.bounds = bounds;
        options.make_sink = hanging_.maker();
        return options;
    }

    std::shared_ptr<Endpoint> add(const std::string& name, QueueBounds bounds) {
        return add(options(name, bounds));
    }
    std::shared_ptr<Endpoint> add(EndpointOptions options) {
        const auto endpoint = std::make_shared<Endpoint>(pipeline_.shard, std::move(options));
        pipeline_.broadcaster.add(endpoint);
        pipeline_.poll();
        return endpoint;
    }

    void change(const std::string& name, QueueBounds bounds) {
        EndpointChanges changes;
        changes.changed.push_back(options(name, bounds));
        pipeline_.broadcaster.apply(std::move(changes));
    }

    /// Whether as many events were taken, as one request.
    bool write(std::size_t count = 1) {
        std::vector<std::shared_ptr<Event>> events;
        for (std::size_t i = 0; i < count; ++i) events.push_back(make_event("0"));
        no_room_.reset();
        return pipeline_.broadcaster.write(events, &no_room_).has_value();
    }

    /// One by one, until one is refused.
    std::size_t fill() {
        std::size_t count = 0;
        while (count < 1000 && write()) ++count;
        return count;
    }

    void deliver(std::size_t count) {
        pipeline_.poll();
        for (std::size_t i = 0; i < count; ++i) hanging_.answer(Outcome::delivered(200));
    }

    EndpointSnapshot state(const std::string& name) { return pipeline_.snapshot_of(name); }

    Pipeline pipeline_;
    Hanging hanging_{pipeline_};
    std::optional<NoRoom> no_room_;
};

TEST_F(RoomAtEndpoints, is_exactly_as_much_as_the_bound_before_anything_is_dispatched) {
    add("a", rejecting(10));

    EXPECT_EQ(fill(), 10U);

    ASSERT_TRUE(no_room_.has_value());
    EXPECT_EQ(no_room_->endpoint, "a");
    EXPECT_FALSE(no_room_->is_for_ever);
    pipeline_.poll();
    EXPECT_EQ(state("a").pending_events, 10U);
    EXPECT_EQ(state("a").metrics.dropped_events(), 0U);
}

TEST_F(RoomAtEndpoints, is_counted_in_bytes_as_well) {
    const std::size_t one = make_event("0")->payload().size();
    add("a", rejecting(0, 7 * one + one / 2));

    EXPECT_EQ(fill(), 7U);
}

TEST_F(RoomAtEndpoints, is_there_again_below_nine_tenths_of_the_bound) {
    add("a", rejecting(100));
    fill();

    deliver(10);
    EXPECT_FALSE(write()) << "90 are pending";
    deliver(1);
    EXPECT_TRUE(write()) << "89 were pending";

    EXPECT_EQ(fill(), 10U);
}

TEST_F(RoomAtEndpoints, is_taken_for_all_events_of_a_request_or_for_none) {
    add("a", rejecting(10));

    EXPECT_TRUE(write(8));
    EXPECT_FALSE(write(3));
    pipeline_.poll();

    EXPECT_EQ(state("a").pending_events, 8U);
    EXPECT_EQ(pipeline_.snapshot().ingested_events, 8U);
}

TEST_F(RoomAtEndpoints, is_taken_at_all_of_them_or_at_none) {
    add("a", rejecting(10));
    add("b", rejecting(4));
    add("c", {});

    EXPECT_EQ(fill(), 4U);
    EXPECT_EQ(no_room_->endpoint, "b");
    pipeline_.broadcaster.remove(pipeline_.broadcaster.find("b"), 0s);

    EXPECT_EQ(fill(), 6U) << "nothing was taken at a for what b refused";
}

TEST_F(RoomAtEndpoints, will_never_be_there_for_more_than_the_bound) {
    add("a", rejecting(10));

    EXPECT_FALSE(write(11));

    ASSERT_TRUE(no_room_.has_value());
    EXPECT_TRUE(no_room_->is_for_ever);
    EXPECT_TRUE(write(10)) << "which changes nothing";
}

TEST_F(RoomAtEndpoints, is_given_back_by_what_the_filter_ignores) {
    EndpointOptions ignoring = options("a", rejecting(10));
    ignoring.filter = std::make_unique<NothingIgnored>();
    add(std::move(ignoring));
    EXPECT_EQ(fill(), 10U) << "it is not known yet";

    pipeline_.poll();

    EXPECT_EQ(fill(), 10U);
    pipeline_.poll();
    EXPECT_EQ(state("a").metrics.ignored_events(), 20U);
}

TEST_F(RoomAtEndpoints, is_given_back_by_what_is_given_up_or_purged) {
    EndpointOptions limited = options("a", rejecting(10));
    limited.retry.permanent = {{400, 400}};
    const auto endpoint = add(std::move(limited));
    fill();
    pipeline_.poll();

    hanging_.answer(Outcome::refused(400));
    hanging_.answer(Outcome::refused(400));
    EXPECT_EQ(fill(), 2U);
    pipeline_.poll();
    endpoint->purge();

    EXPECT_EQ(fill(), 9U) << "one is under way";
}

TEST_F(RoomAtEndpoints, counts_what_is_replayed) {
    const auto endpoint = add("a", rejecting(10));
    pipeline_.broadcaster.replay(endpoint, {{make_event("0")}, {make_event("1")}});
    pipeline_.poll();

    EXPECT_EQ(fill(), 8U);
    pipeline_.poll();
    deliver(10);
    EXPECT_EQ(fill(), 10U);
}

TEST_F(RoomAtEndpoints, counts_what_was_there_when_the_policy_became_this_one) {
    add("a", {});
    for (int i = 0; i < 6; ++i) write();

    change("a", rejecting(10));
    pipeline_.poll();

    EXPECT_EQ(fill(), 4U);
    deliver(10);
    EXPECT_EQ(state("a").pending_events, 0U);
    EXPECT_EQ(fill(), 10U);
}

TEST_F(RoomAtEndpoints, is_without_end_once_the_policy_is_another_one_and_exact_after_that) {
    add("a", rejecting(10));
    fill();
    change("a", {0, 0, Overflow::drop_oldest});
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(write());
    pipeline_.poll();
    deliver(25);

    change("a", rejecting(10));
    pipeline_.poll();

    EXPECT_EQ(state("a").pending_events, 5U);
    EXPECT_EQ(fill(), 5U);
}

TEST_F(RoomAtEndpoints, follows_a_bound_that_changes) {
    add("a", rejecting(10));
    fill();

    change("a", rejecting(15));
    EXPECT_EQ(fill(), 5U);
    change("a", rejecting(5));
    deliver(10);
    EXPECT_FALSE(write()) << "5 are pending";
    deliver(1);

    EXPECT_TRUE(write());
    EXPECT_EQ(state("a").metrics.dropped_events(), 0U);
}

TEST_F(RoomAtEndpoints, is_of_no_concern_at_one_that_has_ended_or_was_removed) {
    add("a", rejecting(2));
    const auto removed = add("b", rejecting(2));
    fill();

    deliver(0);
    hanging_.answer(Outcome::closed());
    EXPECT_FALSE(write()) << "b is full";
    pipeline_.broadcaster.remove(removed, 10s);

    EXPECT_TRUE(write());
}

TEST_F(RoomAtEndpoints, is_told_of_when_it_runs_out_and_when_it_is_back) {
    add("a", rejecting(10));
    for (int i = 0; i < 30; ++i) write();
    EXPECT_EQ(pipeline_.log_count("no room at an endpoint"), 1U);
    EXPECT_EQ(pipeline_.log_count(R"("endpoint":"a","events":10)"), 1U);

    deliver(2);
    write();
    EXPECT_EQ(pipeline_.log_count(R"("requests_refused":20)"), 1U);
    for (int i = 0; i < 30; ++i) write();
    EXPECT_EQ(pipeline_.log_count("no room at an endpoint"), 1U) << "within the second";
    pipeline_.advance(1s);
    write();

    EXPECT_EQ(pipeline_.log_count("no room at an endpoint"), 2U);
}

TEST(Rooms, are_exact_between_threads) {
    constexpr std::uint64_t bound = 50;
    constexpr std::uint64_t total = 20'000;
    Pipeline pipeline;
    Rooms rooms(pipeline.clock, pipeline.log);
    const auto room = std::make_shared<Room>("a", rejecting(bound));
    rooms.add(room);
    std::atomic<std::uint64_t> taken{0};
    std::thread endpoint([&] {
        for (std::uint64_t left = 0; left < total;) {
            const std::uint64_t there = taken.load();
            if (there == left) std::this_thread::yield();
            while (left < there) room->set_left({++left, left});
        }
    });

    std::uint64_t most = 0;
    while (taken.load() < total) {
        if (!rooms.take({1, 1})) ++taken;
        most = std::max(most, taken.load());
    }
    endpoint.join();

    EXPECT_EQ(most, total);
    for (std::uint64_t i = 0; i < bound; ++i) EXPECT_FALSE(rooms.take({1, 1}).has_value());
    EXPECT_TRUE(rooms.take({1, 1}).has_value()) << "what has left was given back, and no more";
}

}  // namespace
}  // namespace fanfare
