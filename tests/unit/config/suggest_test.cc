#include "config/suggest.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

const std::vector<std::string> known_names = {"timeout", "threshold", "connect_timeout", "url",
                                              "tls"};

TEST(Suggest, finds_what_was_mistyped) {
    EXPECT_EQ(suggest("tiemout", known_names), "timeout");
    EXPECT_EQ(suggest("treshold", known_names), "threshold");
    EXPECT_EQ(suggest("connect-timeout", known_names), "connect_timeout");
    EXPECT_EQ(suggest("URL", known_names), "url");
    EXPECT_EQ(suggest("ulr", known_names), "url");
}

TEST(Suggest, finds_what_was_not_written_to_the_end) {
    EXPECT_EQ(suggest("thresh", known_names), "threshold");
    EXPECT_EQ(suggest("connect", known_names), "connect_timeout");
}

TEST(Suggest, finds_nothing_where_nothing_is_near) {
    EXPECT_EQ(suggest("colour", known_names), "");
    EXPECT_EQ(suggest("", known_names), "");
    EXPECT_EQ(suggest("x", known_names), "");
    EXPECT_EQ(suggest(std::string(100000, 'a'), known_names), "");
    EXPECT_EQ(suggest("timeout", {}), "");
}

TEST(Suggest, takes_the_nearest) {
    EXPECT_EQ(suggest("max_event", {"max_bytes", "max_events"}), "max_events");
}

}  // namespace
}  // namespace fanfare
