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

    test::Pipeline pipeline_;
    MemoryQueue queue_;
};

using Strings = std::vector<std::string>;

TEST_F(MemoryQueueTest, gives_the_oldest_first) {
    for (const char* id : {"a", "b", "c"}) push(id);

    EXPECT_EQ(ids(queue_.lease({})), Strings({"a"}));
    EXPECT_EQ(ids(queue_.lease({.events_max = 5, .bytes_max = 1000})), Strings({"b", "c"}));
    EXPECT_TRUE(queue_.lease({}).is_empty());
}

TEST_F(MemoryQueueTest, counts_leased_events_as_pending) {
    push("a");
    push("b");
    const std::size_t bytes = queue_.pending_bytes();

    Lease lease = queue_.lease({});
    EXPECT_EQ(queue_.pending_events(), 2U);
    EXPECT_EQ(queue_.pending_bytes(), bytes);
    queue_.settle(std::move(lease), Settle::done);

    EXPECT_EQ(queue_.pending_events(), 1U);
    EXPECT_EQ(queue_.pending_bytes(), bytes / 2);
}

TEST_F(MemoryQueueTest, puts_given_back_events_where_their_seq_belongs) {
    for (const char* id : {"a", "b", "c", "d"}) push(id);
    Lease first = queue_.lease({});
    Lease second = queue_.lease({.events_max = 2, .bytes_max = 1000});

    queue_.settle(std::move(first), Settle::give_back);
    queue_.settle(std::move(second), Settle::give_back);

    EXPECT_EQ(ids(queue_.lease({.events_max = 9, .bytes_max = 1000})),
              Strings({"a", "b", "c", "d"}));
}

TEST_F(MemoryQueueTest, knows_the_oldest_even_when_it_is_leased) {
    push("a");
    const TimePoint oldest = queue_.oldest_accepted();
    push("b");

    Lease lease = queue_.lease({});
    EXPECT_EQ(queue_.oldest_accepted(), oldest);
    queue_.settle(std::move(lease), Settle::done);

    EXPECT_EQ(queue_.oldest_accepted(), oldest + std::chrono::seconds(1));
}

TEST_F(MemoryQueueTest, ends_a_batch_at_its_bytes_and_where_the_media_type_changes) {
    push("a");
    push("b");
    push("c", MediaType::registry_v1);
    const std::size_t one = queue_.pending_bytes() / 3;

    EXPECT_EQ(ids(queue_.lease({.events_max = 9, .bytes_max = one})), Strings({"a"}));
    EXPECT_EQ(ids(queue_.lease({.events_max = 9, .bytes_max = 9 * one})), Strings({"b"}));
    EXPECT_EQ(ids(queue_.lease({.events_max = 9, .bytes_max = 1})), Strings({"c"}));
}

}  // namespace
}  // namespace fanfare
