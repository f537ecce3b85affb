#include "base/timestamp.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(Rfc3339, is_in_utc_with_milliseconds) {
    EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(WallTime{std::chrono::milliseconds(1'700'000'000'042)}),
              "2023-11-14T22:13:20.042Z");
    EXPECT_EQ(rfc3339(WallTime{std::chrono::microseconds(1'700'000'000'999'999)}),
              "2023-11-14T22:13:20.999Z");
}

TEST(Rfc3339, knows_times_before_the_epoch) {
    EXPECT_EQ(rfc3339(WallTime{std::chrono::milliseconds(-1)}), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace fanfare
