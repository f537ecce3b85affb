// What every queue promises, whatever order it keeps (fanfare/queue.h).
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

struct Kind {
    std::string name;
    std::function<std::unique_ptr<Queue>()> make;
};

std::uint64_t key_of(const Event& event) { return std::hash<std::string_view>()(event.action()); }

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = {
        {"strict", [] { return std::make_unique<MemoryQueue>(); }},
        {"free", [] { return std::make_unique<MemoryQueue>(MemoryQueue::Order::free); }},
        {"keyed", [] { return std::make_unique<KeyedQueue>(key_of); }},
    };
    return all;
}

class QueueContract : public testing::TestWithParam<Kind> {
  protected:
    /// An event that was accepted now; then a second passes. Keys are actions.
    void push(const std::string& id, const std::string& key) {
        const std::shared_ptr<Event> event = test::make_event(id, key);
        pipeline_.broadcaster.write({&event, 1});
        queue_->push(event);
        pipeline_.advance(1s);
    }
    void push(const std::string& id) { push(id, "key of " + id); }

    TimePoint now() const { return pipeline_.clock.now(); }
    Lease lease() { return queue_->lease({}, now()); }

    void give_back(Lease lease, TimePoint not_before) {
        lease.hold_until(not_before);
        queue_->settle(std::move(lease), Settle::give_back);
    }

    static std::string id_of(const Lease& lease) {
        return lease.is_empty() ? "none" : std::string(lease.batch().front()->id());
    }

    test::Pipeline pipeline_;
    const TimePoint start_ = pipeline_.clock.now();
    const std::unique_ptr<Queue> queue_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(All, QueueContract, testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(QueueContract, counts_what_waits_and_what_is_leased_until_it_is_done) {
    push("a");
    push("b");
    const std::size_t bytes = queue_->pending_bytes();

    Lease first = lease();
    EXPECT_EQ(queue_->pending_events(), 2U);
    EXPECT_EQ(queue_->pending_bytes(), bytes);
    give_back(std::move(first), now());
    EXPECT_EQ(queue_->pending_events(), 2U);
    queue_->settle(lease(), Settle::done);

    EXPECT_EQ(queue_->pending_events(), 1U);
    EXPECT_EQ(queue_->pending_bytes(), bytes / 2);
}

TEST_P(QueueContract, removes_the_oldest_that_is_not_leased) {
    for (const char* const id : {"a", "b", "c", "d"}) push(id, "one key");
    Lease a = lease();

    EXPECT_EQ(id_of(queue_->remove_oldest()), "b");
    give_back(std::move(a), now() + 1h);
    const Lease tried = queue_->remove_oldest();
    EXPECT_EQ(id_of(tried), "a");
    EXPECT_EQ(id_of(queue_->remove_oldest()), "c");

    EXPECT_EQ(queue_->pending_events(), 1U);
    EXPECT_EQ(queue_->pending_bytes(), tried.batch().front()->payload().size());
    EXPECT_EQ(id_of(lease()), "d");
    EXPECT_EQ(id_of(queue_->remove_oldest()), "none");
}

TEST_P(QueueContract, removes_the_oldest_of_all_keys) {
    push("a", "x");
    push("b", "y");
    push("c", "x");
    push("d", "y");
    const Lease a = lease();

    EXPECT_EQ(id_of(queue_->remove_oldest()), "b");
    EXPECT_EQ(id_of(queue_->remove_oldest()), "c");
    EXPECT_EQ(id_of(queue_->remove_oldest()), "d");
    EXPECT_EQ(id_of(queue_->remove_oldest()), "none");
    queue_->settle(a, Settle::done);

    EXPECT_EQ(queue_->pending_events(), 0U);
    EXPECT_EQ(queue_->pending_bytes(), 0U);
}

TEST_P(QueueContract, gives_a_lease_that_came_back_again_with_its_story) {
    push("a");
    Lease a = lease();
    a.note_attempt();
    a.note_failure();

    give_back(std::move(a), now() + 5s);
    pipeline_.advance(5s);
    const Lease again = lease();

    EXPECT_EQ(id_of(again), "a");
    EXPECT_EQ(again.attempts(), 1U);
    EXPECT_EQ(again.failures(), 1U);
}

TEST_P(QueueContract, says_when_it_has_something) {
    EXPECT_EQ(queue_->ready_at({}), TimePoint::max());
    push("a");
    EXPECT_LE(queue_->ready_at({}), now());

    Lease a = lease();
    EXPECT_EQ(queue_->ready_at({}), TimePoint::max());
    give_back(std::move(a), now() + 5s);

    EXPECT_EQ(queue_->ready_at({}), now() + 5s);
    EXPECT_TRUE(lease().is_empty());
}

TEST_P(QueueContract, knows_the_oldest_of_all_and_of_what_waits) {
    EXPECT_EQ(queue_->oldest_waiting(), TimePoint::max());
    push("a");
    push("b");

    Lease a = lease();
    EXPECT_EQ(queue_->oldest_accepted(), start_);
    EXPECT_EQ(queue_->oldest_waiting(), start_ + 1s);
    give_back(std::move(a), now() + 1h);

    EXPECT_EQ(queue_->oldest_accepted(), start_);
    EXPECT_EQ(queue_->oldest_waiting(), start_);
}

TEST_P(QueueContract, gives_by_age_also_what_may_not_go_yet) {
    for (const char* id : {"a", "b", "c"}) push(id);
    Lease a = lease();
    a.note_attempt();
    give_back(std::move(a), now() + 1h);

    EXPECT_TRUE(queue_->lease_accepted_by(start_ - 1s).is_empty());
    const Lease oldest = queue_->lease_accepted_by(start_);
    EXPECT_EQ(id_of(oldest), "a");
    EXPECT_EQ(oldest.attempts(), 1U);
    EXPECT_TRUE(queue_->lease_accepted_by(start_).is_empty());
    EXPECT_EQ(id_of(queue_->lease_accepted_by(TimePoint::max())), "b");
    EXPECT_EQ(id_of(queue_->lease_accepted_by(TimePoint::max())), "c");
    EXPECT_TRUE(queue_->lease_accepted_by(TimePoint::max()).is_empty());
}

TEST_P(QueueContract, takes_out_all_but_what_is_leased) {
    for (const char* id : {"a", "b", "c", "d"}) push(id);
    Lease a = lease();
    Lease b = queue_->lease_accepted_by(TimePoint::max());
    give_back(std::move(a), now() + 1h);

    std::multiset<std::string> taken;
    for (const EventPtr& event : queue_->clear()) taken.emplace(event->id());

    EXPECT_EQ(taken, (std::multiset<std::string>{"a", "c", "d"}));
    EXPECT_EQ(queue_->pending_events(), 1U);
    EXPECT_EQ(queue_->ready_at({}), TimePoint::max());
    queue_->settle(std::move(b), Settle::done);
    EXPECT_EQ(queue_->pending_events(), 0U);
    EXPECT_EQ(queue_->pending_bytes(), 0U);
}

/// What a queue holds, as the sets of ids that it should.
TEST_P(QueueContract, loses_and_doubles_nothing_whatever_is_done) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    std::multiset<std::string> pushed;
    std::multiset<std::string> ended;
    std::vector<Lease> leased;
    const auto end = [&](const EventPtr& event) { ended.emplace(event->id()); };

    for (int step = 0; step < 3000; ++step) {
        const auto dice = random() % 100;
        if (dice < 35) {
            const std::string id = std::to_string(step);
            pushed.insert(id);
            push(id, std::to_string(random() % 5));
        } else if (dice < 65) {
            const bool is_by_age = random() % 5 == 0;
            Lease taken = is_by_age ? queue_->lease_accepted_by(now()) : lease();
            if (!taken.is_empty()) leased.push_back(std::move(taken));
        } else if (dice < 99 && !leased.empty()) {
            std::swap(leased[random() % leased.size()], leased.back());
            Lease taken = std::move(leased.back());
            leased.pop_back();
            if (random() % 3 == 0) {
                give_back(std::move(taken), now() + Duration(1s) * (random() % 10));
            } else {
                for (const EventPtr& event : taken.batch()) end(event);
                queue_->settle(std::move(taken), Settle::done);
            }
        } else if (dice == 99) {
            for (const EventPtr& event : queue_->clear()) end(event);
        }
        ASSERT_EQ(queue_->pending_events(), pushed.size() - ended.size());
    }
    for (const Lease& lease : leased) {
        for (const EventPtr& event : lease.batch()) end(event);
    }
    for (Lease& lease : leased) queue_->settle(std::move(lease), Settle::done);
    for (const EventPtr& event : queue_->clear()) end(event);

    EXPECT_EQ(ended, pushed);
    EXPECT_EQ(queue_->pending_bytes(), 0U);
}

}  // namespace
}  // namespace fanfare
