#include <gtest/gtest.h>

#include "support/pipeline.h"

namespace fanfare {
namespace {

std::vector<std::string> ids(const Lease& lease) {
    std::vector<std::string> all;
    for (const EventPtr& event : lease.batch()) all.emplace_back(event->id());
    return all;
}

/// A pipeline without endpoints, to give events their numbers.
class MemoryQueueTest : public testing::Test {
  protected:
    void push(const std::string& id, MediaType type = MediaType::json) {
        const std::shared_ptr<Event> event = test::make_event(id, "push", type);
        pipeline_.broadcaster.write({&event, 1});
        queue_.push(event);
        pipeline_.clock.advance(std::chrono::seconds(1), pipeline_.context);
    }

    Lease lease(const LeaseLimits& limits = {}) {
        return queue_.lease(limits, pipeline_.clock.now());
    }

    test::Pipeline pipeline_;
    MemoryQueue queue_;
};

using Strings = std::vector<std::string>;

TEST_F(MemoryQueueTest, gives_the_oldest_first) {
    for (const char* id : {"a", "b", "c"}) push(id);

    EXPECT_EQ(ids(lease()), Strings({"a"}));
    EXPECT_EQ(ids(lease({.events_max = 5, .bytes_max = 1000})), Strings({"b", "c"}));
    EXPECT_TRUE(lease().is_empty());
}

TEST_F(MemoryQueueTest, counts_leased_events_as_pending) {
    push("a");
    push("b");
    const std::size_t bytes = queue_.pending_bytes();

    Lease taken = lease();
    EXPECT_EQ(queue_.pending_events(), 2U);
    EXPECT_EQ(queue_.pending_bytes(), bytes);
    queue_.settle(std::move(taken), Settle::done);

    EXPECT_EQ(queue_.pending_events(), 1U);
    EXPECT_EQ(queue_.pending_bytes(), bytes / 2);
}

TEST_F(MemoryQueueTest, keeps_a_lease_that_was_given_back_together) {
    for (const char* id : {"a", "b", "c"}) push(id);
    Lease pair = lease({.events_max = 2, .bytes_max = 1000});

    queue_.settle(std::move(pair), Settle::give_back);

    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 1000})), Strings({"a", "b"}));
    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 1000})), Strings({"c"}));
}

TEST_F(MemoryQueueTest, gives_the_halves_of_a_lease_one_after_the_other) {
    for (const char* id : {"a", "b", "c", "d"}) push(id);
    auto [first, second] = lease({.events_max = 3, .bytes_max = 1000}).split();

    queue_.settle(std::move(second), Settle::give_back);
    queue_.settle(std::move(first), Settle::give_back);

    EXPECT_EQ(queue_.pending_events(), 4U);
    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 1000})), Strings({"a", "b"}));
    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 1000})), Strings({"c"}));
    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 1000})), Strings({"d"}));
}

TEST_F(MemoryQueueTest, in_strict_order_holds_all_behind_a_lease_that_waits) {
    push("a");
    push("b");
    const TimePoint later = pipeline_.clock.now() + std::chrono::seconds(5);
    Lease held = lease();
    held.hold_until(later);

    queue_.settle(std::move(held), Settle::give_back);

    EXPECT_EQ(queue_.ready_at({}), later);
    EXPECT_TRUE(lease().is_empty());
    EXPECT_EQ(ids(queue_.lease({}, later)), Strings({"a"}));
}

TEST_F(MemoryQueueTest, in_free_order_lets_others_pass_a_lease_that_waits) {
    queue_ = MemoryQueue(MemoryQueue::Order::free);
    for (const char* id : {"a", "b", "c"}) push(id);
    const TimePoint later = pipeline_.clock.now() + std::chrono::seconds(5);
    Lease held = lease();
    held.hold_until(later);

    queue_.settle(std::move(held), Settle::give_back);

    EXPECT_EQ(ids(lease()), Strings({"b"}));
    EXPECT_EQ(ids(queue_.lease({}, later)), Strings({"a"}));
    EXPECT_EQ(ids(lease()), Strings({"c"}));
}

TEST_F(MemoryQueueTest, waits_for_a_full_lease_as_long_as_it_may_linger) {
    const LeaseLimits limits{3, 1000, std::chrono::seconds(10)};
    const TimePoint start = pipeline_.clock.now();
    push("a");
    push("b");

    EXPECT_EQ(queue_.ready_at(limits), start + limits.linger);
    EXPECT_TRUE(lease(limits).is_empty());
    EXPECT_EQ(ids(queue_.lease(limits, start + limits.linger)), Strings({"a", "b"}));

    for (const char* id : {"c", "d", "e"}) push(id);
    EXPECT_EQ(queue_.ready_at(limits), TimePoint::min());
}

TEST_F(MemoryQueueTest, does_not_wait_when_more_bytes_wait_than_fit) {
    push("a");
    const std::size_t one = queue_.pending_bytes();
    const LeaseLimits limits{100, 2 * one, std::chrono::seconds(10)};
    push("b");
    EXPECT_GT(queue_.ready_at(limits), pipeline_.clock.now());

    push("c");

    EXPECT_EQ(ids(lease(limits)), Strings({"a", "b"}));
}

TEST_F(MemoryQueueTest, gives_up_all_but_what_is_leased) {
    for (const char* id : {"a", "b", "c"}) push(id);
    Lease first = lease();
    Lease second = lease();
    queue_.settle(std::move(second), Settle::give_back);

    const std::vector<EventPtr> events = queue_.clear();

    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0]->id(), "b");
    EXPECT_EQ(events[1]->id(), "c");
    EXPECT_EQ(queue_.pending_events(), 1U);
    queue_.settle(std::move(first), Settle::done);
    EXPECT_EQ(queue_.pending_bytes(), 0U);
}

TEST_F(MemoryQueueTest, knows_the_oldest_even_when_it_is_leased) {
    push("a");
    const TimePoint oldest = queue_.oldest_accepted();
    push("b");

    Lease taken = lease();
    EXPECT_EQ(queue_.oldest_accepted(), oldest);
    queue_.settle(std::move(taken), Settle::done);

    EXPECT_EQ(queue_.oldest_accepted(), oldest + std::chrono::seconds(1));
}

TEST_F(MemoryQueueTest, ends_a_batch_at_its_bytes_and_where_the_media_type_changes) {
    push("a");
    push("b");
    push("c", MediaType::registry_v1);
    const std::size_t one = queue_.pending_bytes() / 3;

    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = one})), Strings({"a"}));
    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 9 * one})), Strings({"b"}));
    EXPECT_EQ(ids(lease({.events_max = 9, .bytes_max = 1})), Strings({"c"}));
}

// As after a reload that ends the batching of an endpoint.
TEST_F(MemoryQueueTest, knows_its_oldest_among_batches_that_wait_out_of_order) {
    queue_ = MemoryQueue(MemoryQueue::Order::free);
    const TimePoint oldest = pipeline_.clock.now();
    for (const char* id : {"a", "b", "c", "d"}) push(id);
    const LeaseLimits two{.events_max = 2, .bytes_max = 1000};
    Lease first = lease(two);
    Lease second = lease(two);

    first.hold_until(pipeline_.clock.now() + std::chrono::seconds(1));
    queue_.settle(std::move(first), Settle::give_back);
    queue_.settle(std::move(second), Settle::give_back);

    EXPECT_EQ(queue_.oldest_accepted(), oldest);
    EXPECT_EQ(queue_.clear().size(), 4U);
    EXPECT_EQ(queue_.oldest_accepted(), TimePoint::max());
}

}  // namespace
}  // namespace fanfare
