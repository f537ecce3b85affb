#include "http/retry_after.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

constexpr WallTime birthday = sys_days(year(1994) / 11 / 6) + 8h + 49min + 37s;
constexpr WallTime now = birthday + 1h;

TEST(HttpDate, is_read_in_all_three_forms) {
    for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov  6 08:49:37 1994"}) {
        EXPECT_EQ(parse_http_date(text, now), birthday) << text;
    }
    EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", now), birthday + 240h);
}

TEST(HttpDate, of_two_digits_is_at_most_fifty_years_ahead) {
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", sys_days(year(2026) / 1 / 1)),
              birthday);
    EXPECT_EQ(parse_http_date("Friday, 06-Nov-26 00:00:00 GMT", sys_days(year(2026) / 1 / 1)),
              WallTime(sys_days(year(2026) / 11 / 6)));
}

TEST(HttpDate, is_nothing_if_it_is_none) {
    for (const char* text :
         {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
          "Sun, 06 Nov 9999 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 08:49:37 GMT ", "Xxx, 06 Nov 1994 08:49:37 GMT"}) {
        EXPECT_EQ(parse_http_date(text, now), std::nullopt) << text;
    }
}

TEST(RetryAfter, in_seconds_is_that_long) {
    EXPECT_EQ(parse_retry_after("120", {}, now), 120s);
    EXPECT_EQ(parse_retry_after("0", {}, now), 0s);
    EXPECT_GT(parse_retry_after("99999999999999999999999", {}, now), 24h * 365 * 200);
}

TEST(RetryAfter, as_a_date_counts_from_the_answers_own_date) {
    constexpr const char* later = "Sun, 06 Nov 1994 08:51:37 GMT";
    EXPECT_EQ(parse_retry_after(later, "Sun, 06 Nov 1994 08:49:37 GMT", now + 1000h), 2min);
    EXPECT_EQ(parse_retry_after(later, {}, birthday), 2min) << "without one, from now";
    EXPECT_EQ(parse_retry_after(later, "nonsense", birthday), 2min);
}

TEST(RetryAfter, in_the_past_is_no_wait) {
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", {}, now), 0s);
}

TEST(RetryAfter, does_not_overflow_between_the_ends_of_time) {
    constexpr const char* first = "Fri, 01 Jan 1700 00:00:00 GMT";
    constexpr const char* last = "Tue, 01 Jan 2250 00:00:00 GMT";

    EXPECT_GT(parse_retry_after(last, first, now), 24h * 365 * 200);
    EXPECT_EQ(parse_retry_after(first, last, now), 0s);
}

TEST(RetryAfter, that_makes_no_sense_is_ignored) {
    for (const char* text : {"", "-1", "1e9", "1.5", "+5", "5s", " 5", "soon", "0x10"}) {
        EXPECT_EQ(parse_retry_after(text, {}, now), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace fanfare
