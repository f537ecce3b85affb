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

TEST(Rfc3339, is_read_back) {
    const WallTime time{std::chrono::milliseconds(1'700'000'000'042)};

    EXPECT_EQ(parse_rfc3339(rfc3339(time)), time);
}

TEST(Rfc3339, may_have_an_offset_a_fraction_and_a_blank) {
    const WallTime time{std::chrono::milliseconds(1'700'000'000'500)};

    for (const char* text :
         {"2023-11-14T22:13:20.5Z", "2023-11-14t22:13:20.500000000999z", "2023-11-14 22:13:20.5Z",
          "2023-11-15T00:43:20.5+02:30", "2023-11-14T21:13:20.5-01:00"}) {
        EXPECT_EQ(parse_rfc3339(text), time) << text;
    }
}

TEST(Rfc3339, refuses_what_is_no_time) {
    for (const char* text :
         {"", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z",
          "2023-02-30T00:00:00Z", "2023-13-01T00:00:00Z", "2023-11-14T24:00:00Z",
          "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+2:00", "2023-11-14T22:13:20Zx",
          "9999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "-023-11-14T22:13:20Z"}) {
        EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace fanfare
