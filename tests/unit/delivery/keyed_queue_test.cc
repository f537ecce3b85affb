#include <gtest/gtest.h>

#include <random>

#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

/// The key of an event is its action.
class KeyedQueueTest : public testing::Test {
  protected:
    void push(const std::string& id, const std::string& key) {
        const std::shared_ptr<Event> event = test::make_event(id, key);
        pipeline_.broadcaster.write({&event, 1});
        queue_.push(event);
    }

    Lease lease(TimePoint now) { return queue_.lease({}, now); }
    Lease lease() { return lease(pipeline_.clock.now()); }
    std::string id() { return id_of(lease()); }

    static std::string id_of(const Lease& lease) {
        return lease.is_empty() ? "none" : std::string(lease.batch().front()->id());
    }

    test::Pipeline pipeline_;
    KeyedQueue queue_{
        [](const Event& event) { return std::hash<std::string_view>()(event.action()); }};
};

TEST_F(KeyedQueueTest, leases_one_event_of_a_key_at_a_time_and_the_oldest_first) {
    push("a1", "a");
    push("a2", "a");
    push("b1", "b");

    Lease a1 = lease();

    EXPECT_EQ(id_of(a1), "a1");
    EXPECT_EQ(id(), "b1");
    EXPECT_EQ(id(), "none");
    queue_.settle(std::move(a1), Settle::done);
    EXPECT_EQ(id(), "a2");
}

TEST_F(KeyedQueueTest, holds_up_only_the_key_that_waits) {
    push("a1", "a");
    push("a2", "a");
    push("b1", "b");
    const TimePoint later = pipeline_.clock.now() + 5s;
    Lease a1 = lease();
    a1.hold_until(later);

    queue_.settle(std::move(a1), Settle::give_back);

    EXPECT_EQ(id(), "b1");
    EXPECT_EQ(id(), "none");
    EXPECT_EQ(queue_.ready_at({}), later);
    EXPECT_EQ(id_of(lease(later)), "a1");
}

TEST_F(KeyedQueueTest, gives_what_came_back_before_younger_ones_with_its_story) {
    push("a1", "a");
    push("a2", "a");
    Lease a1 = lease();
    a1.note_attempt();
    a1.note_failure();

    queue_.settle(std::move(a1), Settle::give_back);
    const Lease again = lease();

    EXPECT_EQ(id_of(again), "a1");
    EXPECT_EQ(again.attempts(), 1U);
    EXPECT_EQ(again.failures(), 1U);
}

TEST_F(KeyedQueueTest, counts_and_clears_all_but_what_is_leased) {
    const TimePoint start = pipeline_.clock.now();
    push("a1", "a");
    pipeline_.advance(1s);
    push("a2", "a");
    push("b1", "b");
    push("c1", "c");
    Lease a1 = lease();
    queue_.settle(lease(), Settle::give_back);
    EXPECT_EQ(queue_.pending_events(), 4U);
    EXPECT_EQ(queue_.oldest_accepted(), start);

    const std::vector<EventPtr> events = queue_.clear();

    EXPECT_EQ(events.size(), 3U);
    EXPECT_EQ(queue_.pending_events(), 1U);
    EXPECT_EQ(id(), "none");
    push("a3", "a");
    queue_.settle(std::move(a1), Settle::done);
    EXPECT_EQ(id(), "a3");
}

TEST_F(KeyedQueueTest, keeps_every_keys_order_whatever_happens) {
    constexpr unsigned seed = 4711;
    std::mt19937 random(seed);
    for (int i = 0; i < 2000; ++i) {
        push(std::to_string(i), "key" + std::to_string(random() % 20));
    }
    std::map<std::string, std::vector<int>> delivered;
    std::vector<Lease> leased;
    while (queue_.pending_events() > 0) {
        pipeline_.advance(1ms);
        for (Lease next = lease(); !next.is_empty() && leased.size() < 8; next = lease()) {
            leased.push_back(std::move(next));
            if (leased.size() == 8) break;
        }
        ASSERT_FALSE(leased.empty());
        std::swap(leased[random() % leased.size()], leased.back());
        Lease done = std::move(leased.back());
        leased.pop_back();
        if (random() % 3 == 0) {
            done.hold_until(pipeline_.clock.now() + std::chrono::milliseconds(random() % 2));
            queue_.settle(std::move(done), Settle::give_back);
        } else {
            const Event& event = *done.batch().front();
            delivered[std::string(event.action())].push_back(std::stoi(std::string(event.id())));
            queue_.settle(std::move(done), Settle::done);
        }
    }

    std::size_t count = 0;
    for (const auto& [key, numbers] : delivered) {
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << key << ", seed " << seed;
        count += numbers.size();
    }
    EXPECT_EQ(count, 2000U);
}

}  // namespace
}  // namespace fanfare
