#include "server/admin/go_status_text.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(GoStatus, is_the_code_and_go_s_text) {
    EXPECT_EQ(go_status(200), "200 OK");
    EXPECT_EQ(go_status(204), "204 No Content");
    EXPECT_EQ(go_status(307), "307 Temporary Redirect");
    EXPECT_EQ(go_status(413), "413 Request Entity Too Large");
    EXPECT_EQ(go_status(414), "414 Request URI Too Long");
    EXPECT_EQ(go_status(416), "416 Requested Range Not Satisfiable");
    EXPECT_EQ(go_status(418), "418 I'm a teapot");
    EXPECT_EQ(go_status(429), "429 Too Many Requests");
    EXPECT_EQ(go_status(503), "503 Service Unavailable");
}

TEST(GoStatus, ends_in_a_blank_for_a_code_without_a_text) {
    EXPECT_EQ(go_status(299), "299 ");
    EXPECT_EQ(go_status(306), "306 ");
    EXPECT_EQ(go_status(599), "599 ");
}

}  // namespace
}  // namespace fanfare
