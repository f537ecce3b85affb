#include "fleet/name_token.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(NameToken, keeps_names_apart) {
    EXPECT_EQ(name_token("audit-1"), "audit-1");
    EXPECT_EQ(name_token("a.b_c"), "a_2Eb_5Fc");
    EXPECT_EQ(name_token("ü"), "_C3_BC");
}

TEST(NameToken, can_be_read_again) {
    for (const std::string name : {"audit-1", "a.b_c", "_2E", "ü", "_p3", " "}) {
        EXPECT_EQ(name_of_token(name_token(name)), name);
    }
}

TEST(NameToken, is_no_name_if_it_is_none) {
    for (const char* const token : {"a_", "a_2", "a_p3"}) EXPECT_EQ(name_of_token(token), "");
}

}  // namespace
}  // namespace fanfare
