#include <gtest/gtest.h>

#include "fanfare/http_sink.h"

namespace fanfare {
namespace {

const std::vector<StatusRange> by_default = HttpSinkOptions{}.success;
const std::vector<StatusRange> as_the_registry = {{200, 399}};

// Acceptance 17.
TEST(Classify, takes_2xx_for_a_delivery) {
    for (const int status : {200, 201, 202, 204, 299}) {
        const Outcome outcome = classify(status, by_default);

        EXPECT_EQ(outcome.verdict(), Verdict::delivered) << status;
        EXPECT_EQ(outcome.http_status(), status);
    }
}

// Acceptance 18; and 25: no redirect is a delivery.
TEST(Classify, takes_anything_else_for_a_failure_that_is_tried_again) {
    for (const int status :
         {199, 300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 410, 413, 429, 500, 503, 999}) {
        const Outcome outcome = classify(status, by_default);

        EXPECT_EQ(outcome.verdict(), Verdict::retry) << status;
        EXPECT_EQ(outcome.reason(), Reason::status) << status;
        EXPECT_EQ(outcome.http_status(), status);
    }
}

// Acceptance 17, as the registry reads it.
TEST(Classify, heeds_the_configured_ranges) {
    for (const int status : {200, 299, 300, 304, 302, 307, 399}) {
        EXPECT_EQ(classify(status, as_the_registry).verdict(), Verdict::delivered) << status;
    }
    EXPECT_EQ(classify(400, as_the_registry).verdict(), Verdict::retry);

    const std::vector<StatusRange> two = {{200, 200}, {410, 410}};
    EXPECT_EQ(classify(410, two).verdict(), Verdict::delivered);
    EXPECT_EQ(classify(201, two).verdict(), Verdict::retry);
}

TEST(Classify, never_takes_101_for_a_delivery) {
    const std::vector<StatusRange> everything = {{100, 599}};

    EXPECT_EQ(classify(101, everything).verdict(), Verdict::retry);
}

}  // namespace
}  // namespace fanfare
