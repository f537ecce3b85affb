#include <gtest/gtest.h>

#include "support/manual_clock.h"
#include "support/run.h"

#include "fanfare/retry.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using Action = Decision::Action;

class RetryGateTest : public testing::Test {
  protected:
    TimePoint now() const { return clock_.now(); }
    bool pass() {
        std::optional<RetryGate::Pass> pass = gate_.try_pass(now());
        if (!pass) return false;
        passes_.push_back(*std::move(pass));
        return true;
    }
    RetryGate::Pass take_pass() {
        RetryGate::Pass pass = std::move(passes_.back());
        passes_.pop_back();
        return pass;
    }
    void advance(Duration step) { clock_.advance(step, context_); }

    void record(Action action) {
        const bool is_good = action == Action::deliver;
        const Outcome outcome = is_good ? Outcome::delivered(200) : Outcome::refused(500);
        gate_.record(take_pass(), outcome, action, now());
    }

    /// Lets an attempt go and records what came of it.
    void attempt(const Decision& decision) {
        ASSERT_TRUE(pass());
        gate_.record(take_pass(), Outcome::refused(500), decision, now());
    }

    /// How many may begin now.
    int count_passes() {
        int count = 0;
        while (count < 100 && pass()) ++count;
        return count;
    }

    net::io_context context_{1};
    test::ManualClock clock_;
    RetryGate gate_{std::make_unique<Breaker>(2, 1s), clock_, context_.get_executor()};
    std::vector<RetryGate::Pass> passes_;  // of attempts under way
};

TEST_F(RetryGateTest, lets_all_pass_while_nothing_is_wrong) { EXPECT_EQ(count_passes(), 100); }

TEST_F(RetryGateTest, lets_one_probe_through_when_half_open) {
    attempt(Action::retry);
    attempt(Action::retry);
    EXPECT_FALSE(pass());
    EXPECT_EQ(gate_.opens_at(now()), now() + 1s);
    advance(1s);

    EXPECT_EQ(count_passes(), 1);
    EXPECT_EQ(gate_.opens_at(now()), TimePoint::max());
    passes_.clear();

    EXPECT_EQ(count_passes(), 1) << "there was no attempt";
}

TEST_F(RetryGateTest, ramps_up_after_a_successful_probe) {
    attempt(Action::retry);
    attempt(Action::retry);
    advance(1s);
    ASSERT_TRUE(pass());
    record(Action::deliver);

    EXPECT_EQ(count_passes(), 2);
    record(Action::deliver);
    EXPECT_EQ(count_passes(), 2) << "one is still under way, three may be";
}

TEST_F(RetryGateTest, is_not_moved_by_a_permanent_answer_to_one_event) {
    attempt(Action::retry);
    attempt(Decision::give_up(DeadReason::permanent));
    attempt(Decision::give_up(DeadReason::exception));
    attempt(Action::split);
    EXPECT_FALSE(gate_.is_open());

    attempt(Action::retry);

    EXPECT_TRUE(gate_.is_open());
}

TEST_F(RetryGateTest, counts_an_event_given_up_after_its_attempts_as_a_failure) {
    attempt(Decision::give_up(DeadReason::max_attempts));
    attempt(Decision::give_up(DeadReason::max_attempts));

    EXPECT_TRUE(gate_.is_open());
}

TEST_F(RetryGateTest, lets_nobody_pass_while_the_receiver_wants_time_and_then_one) {
    attempt(Decision::pause(5s));

    EXPECT_FALSE(gate_.is_open()) << "it has not failed";
    EXPECT_FALSE(pass());
    EXPECT_EQ(gate_.opens_at(now()), now() + 5s);
    advance(4999ms);
    EXPECT_FALSE(pass());
    advance(1ms);
    EXPECT_EQ(count_passes(), 1);
    record(Action::deliver);

    EXPECT_EQ(count_passes(), 2);
}

TEST_F(RetryGateTest, keeps_the_longer_of_two_pauses) {
    ASSERT_TRUE(pass());
    ASSERT_TRUE(pass());
    gate_.record(take_pass(), Outcome::refused(429), Decision::pause(5s), now());
    gate_.record(take_pass(), Outcome::refused(429), Decision::pause(2s), now());

    EXPECT_EQ(gate_.paused_until(), now() + 5s);
}

TEST_F(RetryGateTest, lets_nobody_pass_between_pause_and_resume) {
    gate_.pause();
    EXPECT_TRUE(gate_.is_paused());
    EXPECT_FALSE(pass());
    EXPECT_EQ(gate_.opens_at(now()), TimePoint::max());

    gate_.resume();

    EXPECT_EQ(count_passes(), 1) << "carefully at first";
}

TEST_F(RetryGateTest, resume_ends_the_receivers_pause_too) {
    attempt(Decision::pause(1h));

    gate_.resume();

    EXPECT_TRUE(pass());
}

TEST_F(RetryGateTest, lets_nobody_pass_while_somebody_else_holds_it) {
    gate_.hold_until(now() + 5s);
    EXPECT_FALSE(pass());
    EXPECT_EQ(gate_.opens_at(now()), now() + 5s);
    EXPECT_EQ(gate_.own_hold(now()), now()) << "nothing was found out here";

    advance(5s);

    EXPECT_EQ(count_passes(), 1) << "carefully at first";
}

TEST_F(RetryGateTest, is_let_go_by_who_holds_it) {
    gate_.hold_until(now() + 5s);

    gate_.hold_until(TimePoint::min());

    EXPECT_TRUE(pass());
}

TEST_F(RetryGateTest, wakes_who_waits_when_it_opens) {
    attempt(Decision::pause(5s));
    test::Running<RetryGate::Pass> waiting(context_, gate_.pass());
    advance(4s);
    EXPECT_FALSE(waiting.is_done());

    advance(1s);

    EXPECT_TRUE(waiting.is_done());
}

TEST_F(RetryGateTest, lets_one_attempt_begin_at_once_with_another_strategy) {
    attempt(Action::retry);
    attempt(Action::retry);
    EXPECT_FALSE(pass());

    gate_.replace(std::make_unique<Breaker>(2, 1h));

    EXPECT_TRUE(gate_.is_open()) << "failures count on";
    EXPECT_EQ(gate_.opens_at(now()), now());
    EXPECT_EQ(count_passes(), 1);
    record(Action::retry);
    EXPECT_EQ(count_passes(), 0);
    EXPECT_EQ(gate_.opens_at(now()), now() + 1h);
}

TEST_F(RetryGateTest, forgets_the_receivers_pause_with_another_strategy_but_no_operators) {
    attempt(Decision::pause(1h));

    gate_.replace(std::make_unique<Breaker>(2, 1s));

    EXPECT_EQ(count_passes(), 1);
    passes_.clear();
    gate_.pause();
    gate_.replace(std::make_unique<Breaker>(2, 1s));
    EXPECT_FALSE(pass());
}

TEST_F(RetryGateTest, wakes_who_waits_when_the_probe_ends_without_an_attempt) {
    attempt(Decision::pause(5s));
    advance(5s);
    ASSERT_TRUE(pass());
    test::Running<RetryGate::Pass> waiting(context_, gate_.pass());
    advance(1h);
    EXPECT_FALSE(waiting.is_done());

    passes_.clear();
    advance(0s);

    EXPECT_TRUE(waiting.is_done());
}

}  // namespace
}  // namespace fanfare
