#include <gtest/gtest.h>

#include "base/task_group.h"
#include "fanfare/retry.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::make_event;
using test::ManualClock;
using test::Receiver;
using test::Running;
using test::ScriptedSink;

/// A chain of one's own: two sinks that share a gate, as two workers of an endpoint would.
class RetryingSinkTest : public testing::Test, protected AttemptObserver {
  protected:
    std::unique_ptr<RetryingSink> make(RetryPolicy policy, ScriptedSink::Script script) {
        return std::make_unique<RetryingSink>(
            std::make_unique<ScriptedSink>(receiver_, clock_, std::move(script)), std::move(policy),
            RetryingSink::Context{gate_, clock_, *this});
    }

    void attempting(const Attempt&) override { ++attempting_; }
    void attempted(const Attempt&, const Outcome& outcome, TimePoint, TimePoint) override {
        outcomes_.push_back(outcome.verdict());
    }

    net::io_context context_{1};
    ManualClock clock_;
    RetryGate gate_{std::make_unique<Breaker>(2, 1s), clock_, context_.get_executor()};
    Receiver receiver_;
    unsigned attempting_ = 0;
    std::vector<Verdict> outcomes_;
    const EventPtr event_ = make_event("1");
    const Attempt attempt_{Batch(&event_, 1), 1};
};

RetryPolicy exponential() {
    RetryPolicy policy;
    policy.strategy = RetryPolicy::Strategy::exponential;
    policy.jitter = RetryPolicy::Jitter::none;
    return policy;
}

TEST_F(RetryingSinkTest, tries_until_the_batch_is_taken) {
    const auto sink = make({}, [](const Attempt& attempt) {
        return attempt.number < 4 ? Outcome::refused(500) : Outcome::delivered(200);
    });

    Running<Outcome> delivering(context_, sink->deliver(attempt_));
    clock_.advance(10s, context_);

    ASSERT_TRUE(delivering.is_done());
    EXPECT_EQ(delivering.get().verdict(), Verdict::delivered);
    EXPECT_EQ(receiver_.numbers, (std::vector<unsigned>{1, 2, 3, 4}));
    EXPECT_EQ(receiver_.times[2] - receiver_.times[1], 1s) << "the breaker has opened";
    EXPECT_EQ(attempting_, 4U);
    EXPECT_EQ(outcomes_.size(), 4U);
}

TEST_F(RetryingSinkTest, ends_with_reject_after_the_last_attempt_and_for_a_permanent_answer) {
    RetryPolicy policy = exponential();
    policy.attempts_max = 3;
    const auto sink = make(policy, [](const Attempt&) { return Outcome::retry(Reason::reset); });
    Running<Outcome> delivering(context_, sink->deliver(attempt_));
    clock_.advance(10s, context_);
    ASSERT_TRUE(delivering.is_done());
    EXPECT_EQ(delivering.get().reason(), Reason::max_attempts);
    EXPECT_EQ(receiver_.attempts, 3U);

    const auto refusing = make(exponential(), [](const Attempt&) { return Outcome::refused(404); });
    clock_.advance(10s, context_);
    const Outcome outcome = test::run(context_, refusing->deliver(attempt_));

    EXPECT_EQ(outcome.verdict(), Verdict::reject);
    EXPECT_EQ(outcome.http_status(), 404);
}

TEST_F(RetryingSinkTest, gives_a_batch_up_only_when_its_youngest_event_is_too_old) {
    net::io_context context{1};
    test::Pipeline numbering;
    std::shared_ptr<Event> old = make_event("old");
    numbering.broadcaster.write({&old, 1});
    numbering.advance(9s);
    std::shared_ptr<Event> young = make_event("young");
    numbering.broadcaster.write({&young, 1});
    const std::vector<EventPtr> batch = {old, young};
    RetryPolicy policy = exponential();
    policy.age_max = 10s;
    policy.schedule = {1s};
    const auto sink = make(policy, [](const Attempt&) { return Outcome::refused(500); });

    clock_.advance(young->accepted() - clock_.now() + 1s, context_);
    Running<Outcome> delivering(context_, sink->deliver(Attempt{batch, 1}));
    clock_.advance(8s, context_);
    EXPECT_FALSE(delivering.is_done());
    clock_.advance(2s, context_);

    ASSERT_TRUE(delivering.is_done());
    EXPECT_EQ(delivering.get().reason(), Reason::max_age);
}

TEST_F(RetryingSinkTest, shares_the_one_probe_of_an_open_breaker) {
    bool is_up = false;
    const auto refuse = [&](const Attempt&) {
        return is_up ? Outcome::delivered(200) : Outcome::refused(500);
    };
    const auto first = make({}, refuse);
    const auto second = make({}, refuse);
    Running<Outcome> one(context_, first->deliver(attempt_));
    Running<Outcome> other(context_, second->deliver(attempt_));
    clock_.advance(500ms, context_);
    const unsigned before = receiver_.attempts;

    clock_.advance(10s, context_);

    EXPECT_EQ(receiver_.attempts - before, 10U) << "one per backoff, not one per sink";
    is_up = true;
    clock_.advance(10s, context_);
    EXPECT_TRUE(one.is_done() && other.is_done());
}

/// Cancels a coroutine as an endpoint does that has no more time.
TEST_F(RetryingSinkTest, leaves_the_gate_as_it_was_when_it_is_cancelled) {
    const auto sink = make({}, [](const Attempt&) { return Outcome::refused(500); });
    TaskGroup tasks(context_.get_executor(), [](const std::exception_ptr&) {});
    const auto deliver = [](Sink& to, Attempt attempt) -> awaitable<void> {
        co_await to.deliver(attempt);
    };
    tasks.spawn(deliver(*sink, attempt_));
    clock_.advance(500ms, context_);

    tasks.cancel();
    clock_.advance(10s, context_);

    EXPECT_EQ(tasks.size(), 0U);
    EXPECT_TRUE(gate_.try_pass(clock_.now()).has_value());
}

}  // namespace
}  // namespace fanfare
