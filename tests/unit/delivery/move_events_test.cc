#include <gtest/gtest.h>

#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

/// Queues of each kind, and events whose action is their key.
class MoveEvents : public testing::Test {
  protected:
    EventPtr event(const std::string& id, const std::string& key = "a") {
        const std::shared_ptr<Event> made = test::make_event(id, key);
        pipeline_.broadcaster.write({&made, 1});
        return made;
    }

    TimePoint now() const { return pipeline_.clock.now(); }

    /// Has had an attempt, and waits for 10 s.
    void fail(Queue& queue, std::size_t events = 1) {
        Lease lease = queue.lease({events, SIZE_MAX, {}}, now());
        lease.note_attempt();
        lease.note_failure();
        lease.hold_until(now() + 10s);
        queue.settle(std::move(lease), Settle::give_back);
    }

    static std::string text_of(const Lease& lease) {
        std::string text;
        for (const EventPtr& event : lease.batch()) text += std::string(event->id()) + ' ';
        return text + std::to_string(lease.attempts());
    }

    /// Ids with attempts of what is leased until there is no more.
    Strings take_all(Queue& queue, TimePoint at) {
        Strings all;
        for (;;) {
            Lease lease = queue.lease({}, at);
            if (lease.is_empty()) return all;
            all.push_back(text_of(lease));
            queue.settle(std::move(lease), Settle::done);
        }
    }

    test::Pipeline pipeline_;
    MemoryQueue strict_{MemoryQueue::Order::strict};
    MemoryQueue free_{MemoryQueue::Order::free};
    KeyedQueue keyed_{
        [](const Event& event) { return std::hash<std::string_view>()(event.action()); }};
};

TEST_F(MoveEvents, keeps_order_and_attempts_from_strict_to_free) {
    for (const char* id : {"1", "2", "3"}) strict_.push(event(id));
    fail(strict_);

    move_events(strict_, free_);

    EXPECT_EQ(strict_.pending_events(), 0U);
    EXPECT_EQ(free_.pending_events(), 3U);
    EXPECT_EQ(take_all(free_, now()), (Strings{"2 0", "3 0"})) << "the first still waits";
    EXPECT_EQ(take_all(free_, now() + 10s), Strings{"1 1"});
    EXPECT_EQ(free_.pending_bytes(), 0U);
}

TEST_F(MoveEvents, keeps_a_batch_together_between_queues_that_know_batches) {
    for (const char* id : {"1", "2", "3"}) strict_.push(event(id));
    fail(strict_, 2);

    move_events(strict_, free_);

    EXPECT_EQ(take_all(free_, now() + 10s), (Strings{"1 2 1", "3 0"}));
}

TEST_F(MoveEvents, divides_by_key_what_was_strict) {
    strict_.push(event("a1", "a"));
    strict_.push(event("a2", "a"));
    strict_.push(event("b1", "b"));
    fail(strict_);

    move_events(strict_, keyed_);

    EXPECT_EQ(keyed_.pending_events(), 3U);
    EXPECT_EQ(take_all(keyed_, now()), Strings{"b1 0"}) << "a1 still holds up a2";
    EXPECT_EQ(take_all(keyed_, now() + 10s), (Strings{"a1 1", "a2 0"}));
    EXPECT_EQ(keyed_.pending_bytes(), 0U);
}

TEST_F(MoveEvents, takes_a_batch_apart_where_leases_hold_one_event) {
    strict_.push(event("a1", "a"));
    strict_.push(event("b1", "b"));
    fail(strict_, 2);

    move_events(strict_, keyed_);

    EXPECT_EQ(take_all(keyed_, now()), (Strings{"a1 0", "b1 0"}));
}

TEST_F(MoveEvents, keeps_the_order_rather_than_attempts) {
    keyed_.push(event("a1", "a"));
    keyed_.push(event("a2", "a"));
    keyed_.push(event("b1", "b"));
    fail(keyed_);
    fail(keyed_);

    move_events(keyed_, strict_);

    EXPECT_EQ(keyed_.pending_events(), 0U);
    EXPECT_EQ(take_all(strict_, now() + 10s), (Strings{"a1 1", "a2 0", "b1 0"}));
    EXPECT_EQ(strict_.pending_bytes(), 0U);
}

TEST_F(MoveEvents, lets_go_what_is_held) {
    for (Queue* const queue : {static_cast<Queue*>(&strict_), static_cast<Queue*>(&free_),
                               static_cast<Queue*>(&keyed_)}) {
        queue->push(event("1", "a"));
        fail(*queue);
        EXPECT_TRUE(queue->lease({}, now()).is_empty());

        queue->release_held();

        const Lease first = queue->lease({}, now());
        EXPECT_EQ(text_of(first), "1 1");
        EXPECT_LE(first.not_before(), now());
    }
}

}  // namespace
}  // namespace fanfare
