#include "base/percent.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(PercentDecoded, reads_escapes_once_and_leaves_the_rest) {
    EXPECT_EQ(percent_decoded("a%2Fb%2f+%25%34%31"), "a/b/+%41");
    EXPECT_EQ(percent_decoded("%00%ff"), std::string("\0\xff", 2));
    EXPECT_EQ(percent_decoded(""), "");
}

TEST(PercentDecoded, refuses_what_begins_no_escape) {
    for (const char* text : {"%", "%4", "a%", "%zz", "%4g", "%%41"}) {
        EXPECT_FALSE(percent_decoded(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace fanfare
