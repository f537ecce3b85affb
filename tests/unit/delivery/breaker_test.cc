#include <gtest/gtest.h>

#include "fanfare/retry.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint first_attempt = TimePoint{} + 1h;

Outcome failure() { return Outcome::refused(500); }

/// Lets an attempt go and records its result.
void attempt(RetryStrategy& strategy, const Outcome& outcome, TimePoint now) {
    ASSERT_LE(strategy.hold(now), Duration::zero());
    strategy.record(outcome, now);
}

void fail_times(RetryStrategy& strategy, int times, TimePoint now) {
    for (int i = 0; i < times; ++i) attempt(strategy, failure(), now);
}

TEST(Breaker, lets_threshold_attempts_go_back_to_back) {
    Breaker breaker(3, 700ms);

    fail_times(breaker, 3, first_attempt);

    EXPECT_EQ(breaker.hold(first_attempt), 700ms);
    EXPECT_TRUE(breaker.is_open());
}

TEST(Breaker, probes_once_per_backoff_after_the_last_failure) {
    Breaker breaker(3, 700ms);
    fail_times(breaker, 3, first_attempt);

    EXPECT_EQ(breaker.hold(first_attempt + 699ms), 1ms);
    attempt(breaker, failure(), first_attempt + 700ms);

    EXPECT_EQ(breaker.hold(first_attempt + 700ms), 700ms);
}

TEST(Breaker, is_reset_by_any_success) {
    Breaker breaker(3, 700ms);
    fail_times(breaker, 3, first_attempt);
    attempt(breaker, Outcome::delivered(200), first_attempt + 700ms);

    EXPECT_FALSE(breaker.is_open());
    fail_times(breaker, 3, first_attempt + 700ms);
    EXPECT_TRUE(breaker.is_open());
}

// Acceptance 22.
TEST(Breaker, takes_the_defaults_for_values_that_are_zero_or_less) {
    for (const std::int64_t threshold : {0, -3}) {
        Breaker breaker(threshold, -5s);

        fail_times(breaker, 9, first_attempt);
        EXPECT_FALSE(breaker.is_open());
        fail_times(breaker, 1, first_attempt);

        EXPECT_EQ(breaker.hold(first_attempt), 1s);
    }
}

TEST(Breaker, counts_failures_and_errors_alike) {
    Breaker breaker(2, 1s);

    attempt(breaker, Outcome::retry(Reason::timeout), first_attempt);
    attempt(breaker, Outcome::refused(404), first_attempt);

    EXPECT_TRUE(breaker.is_open());
}

TEST(Breaker, counts_on_where_another_has_ended) {
    Breaker previous(10, 1s);
    fail_times(previous, 4, first_attempt);
    Breaker lower(4, 5s);
    Breaker higher(5, 5s);

    lower.inherit(previous);
    higher.inherit(previous);

    EXPECT_EQ(lower.hold(first_attempt), 5s);
    EXPECT_FALSE(higher.is_open());
    fail_times(higher, 1, first_attempt);
    EXPECT_TRUE(higher.is_open());
}

TEST(Breaker, begins_anew_after_what_counts_nothing) {
    Breaker breaker(1, 1s);

    breaker.inherit(NoHold());

    EXPECT_FALSE(breaker.is_open());
}

}  // namespace
}  // namespace fanfare
