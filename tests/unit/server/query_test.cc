#include "server/admin/query.h"

#include <gtest/gtest.h>

#include <array>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 3> known = {"endpoint", "limit", "since"};

std::string error_of(std::string_view target) {
    const Result<Query> query = Query::parse(target, known);
    return query.has_error() ? query.error().message() : "";
}

TEST(Query, decodes_names_and_values) {
    const Result<Query> query = Query::parse("/x?%65ndpoint=a%2Fb+c%C3%A9&&limit=", known);

    ASSERT_TRUE(query.has_value());
    EXPECT_EQ(query->text("endpoint"), "a/b c\xc3\xa9");
    EXPECT_EQ(query->text("limit"), "");
    EXPECT_FALSE(query->text("since").has_value());
}

TEST(Query, may_be_missing_or_empty) {
    for (const char* target : {"/x", "/x?", "/x?&"}) EXPECT_EQ(error_of(target), "") << target;
}

TEST(Query, refuses_what_is_unknown_repeated_or_badly_encoded) {
    EXPECT_EQ(error_of("/x?color=1"),
              "color: unknown parameter; expected one of endpoint, limit, since");
    EXPECT_EQ(error_of("/x?limit=1&limit=1"), "limit: is there twice; expected once");
    for (const char* target : {"/x?limit=%", "/x?limit=%4", "/x?limit=%zz", "/x?limit=%ff"}) {
        EXPECT_NE(error_of(target).find("cannot be decoded"), std::string::npos) << target;
    }
}

TEST(Query, reads_integers_within_bounds) {
    const auto integer = [](const std::string& value) {
        return Query::parse("/x?limit=" + value, known)->integer("limit", 1, 100);
    };

    EXPECT_EQ(**integer("100"), 100);
    for (const char* value : {"0", "101", "-1", "", "1x", "+1", "99999999999999999999"}) {
        EXPECT_TRUE(integer(value).has_error()) << value;
    }
    EXPECT_FALSE(Query::parse("/x", known)->integer("limit", 1, 100)->has_value());
}

TEST(Query, reads_times_and_durations_before_now) {
    const WallTime now{std::chrono::seconds(1'700'000'000)};
    const auto time = [now](const std::string& value) {
        return Query::parse("/x?since=" + value, known)->time("since", now);
    };

    EXPECT_EQ(**time("2023-11-14T22:13:20Z"), now);
    EXPECT_EQ(**time("2023-11-15T00:13:20%2B02:00"), now);
    EXPECT_EQ(**time("1h"), now - 1h);
    EXPECT_TRUE(time("yesterday").has_error());
    EXPECT_TRUE(time("-1h").has_error());
}

}  // namespace
}  // namespace fanfare
