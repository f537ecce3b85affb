#include <gtest/gtest.h>

#include "fanfare/retry.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint backoff_start = TimePoint{} + 1h;
constexpr std::uint64_t backoff_seed = 4711;

// Counterpart of go-events TestExponentialBackoff.
TEST(ExponentialBackoff, waits_below_its_bound_and_not_at_all_after_a_success) {
    ExponentialBackoff backoff({}, backoff_seed);
    EXPECT_LE(backoff.hold(backoff_start), Duration::zero());

    for (unsigned failures = 1; failures <= 10; ++failures) {
        for (int sample = 0; sample < 1000; ++sample) {
            ExponentialBackoff fresh({}, backoff_seed + static_cast<std::uint64_t>(sample));
            for (unsigned i = 0; i < failures; ++i) {
                fresh.record(Outcome::refused(500), backoff_start);
            }
            const Duration limit = std::min<Duration>(1s + 1s * (1 << failures), 20s);
            EXPECT_GE(fresh.hold(backoff_start), Duration::zero());
            EXPECT_LE(fresh.hold(backoff_start), limit);
        }
        backoff.record(Outcome::refused(500), backoff_start);
    }

    backoff.record(Outcome::delivered(), backoff_start);
    EXPECT_LE(backoff.hold(backoff_start), Duration::zero());
}

// Acceptance 35: go-events overflows from the 56th failure on and panics when the base is zero.
TEST(ExponentialBackoff, saturates_for_any_number_of_failures) {
    const std::vector<Duration> expected = {0s, 2s, 3s, 5s, 9s, 17s, 20s, 20s};
    const ExponentialBackoff backoff({}, backoff_seed);

    for (unsigned failures = 0; failures <= 200; ++failures) {
        const Duration bound = backoff.bound(failures);
        EXPECT_EQ(bound, failures < expected.size() ? expected[failures] : 20s) << failures;
    }
}

TEST(ExponentialBackoff, works_with_a_base_of_zero_or_less) {
    for (const Duration base : {Duration::zero(), Duration(-5s), Duration::min()}) {
        ExponentialBackoff backoff({.base = base, .factor = 1s, .max = 20s}, backoff_seed);

        for (unsigned failures = 0; failures <= 200; ++failures) {
            EXPECT_GE(backoff.bound(failures), Duration::zero());
            EXPECT_LE(backoff.bound(failures), 20s);
            backoff.record(Outcome::refused(500), backoff_start);
            EXPECT_GE(backoff.hold(backoff_start), Duration::zero());
            EXPECT_LE(backoff.hold(backoff_start), 20s);
        }
    }
}

TEST(ExponentialBackoff, does_not_overflow_with_the_longest_durations) {
    const ExponentialBackoff backoff(
        {.base = Duration::max(), .factor = Duration::max(), .max = Duration::max()}, backoff_seed);

    for (unsigned failures = 1; failures <= 200; ++failures) {
        EXPECT_EQ(backoff.bound(failures), Duration::max());
    }
}

}  // namespace
}  // namespace fanfare
