#include "http/field_values.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(ContentLength, is_one_to_ten_digits) {
    EXPECT_EQ(parse_content_length("0"), 0U);
    EXPECT_EQ(parse_content_length("9999999999"), 9'999'999'999U);

    for (const char* bad : {"", "+3", "-3", "0x3", "3,3", " 3", "3 ", "12345678901", "3.0"}) {
        EXPECT_FALSE(parse_content_length(bad)) << bad;
    }
}

TEST(HostField, is_a_host_and_perhaps_a_port) {
    for (const char* good :
         {"a", "a.example.com:80", "127.0.0.1:", "[::1]", "[::1]:8080", "a_b-c", "%2Frun%2Fsock"}) {
        EXPECT_TRUE(is_valid_host(good)) << good;
    }
    for (const char* bad : {"", ":80", "a b", "a:65536", "a:b", "a:1:2", "[::1", "[]", "[a]", "a/b",
                            "user@a", "%2", "%zz", "[::1]a", "\xc3\xa4"}) {
        EXPECT_FALSE(is_valid_host(bad)) << bad;
    }
}

TEST(FieldList, finds_a_token_among_others_without_case) {
    const FieldViews fields = {{"connection", "Upgrade ,\tCLOSE"}, {"Connection", "x"}};

    EXPECT_TRUE(has_token(fields, "Connection", "close"));
    EXPECT_TRUE(has_token(fields, "Connection", "X"));
    EXPECT_FALSE(has_token(fields, "Connection", "clos"));
    EXPECT_FALSE(has_token(fields, "Connect", "close"));
}

TEST(KeepAlive, is_the_rule_in_1_1_and_the_exception_in_1_0) {
    EXPECT_TRUE(wants_keep_alive({}, 11));
    EXPECT_FALSE(wants_keep_alive({{"Connection", "keep-alive, close"}}, 11));
    EXPECT_FALSE(wants_keep_alive({}, 10));
    EXPECT_TRUE(wants_keep_alive({{"Connection", "Keep-Alive"}}, 10));
}

TEST(BodyFraming, tells_an_unknown_coding_from_a_malformed_one) {
    EXPECT_TRUE(
        read_body_framing({{"Transfer-Encoding", "gzip;q=1, chunked"}}, 11).has_unknown_coding);
    EXPECT_TRUE(read_body_framing({{"Transfer-Encoding", "identity"}}, 11).has_unknown_coding);

    const BodyFraming quoted = read_body_framing({{"Transfer-Encoding", "\"chunked\""}}, 11);
    EXPECT_NE(quoted.problem, nullptr);
    EXPECT_FALSE(quoted.has_unknown_coding);
    EXPECT_NE(read_body_framing({{"Transfer-Encoding", ""}}, 11).problem, nullptr);
    EXPECT_NE(read_body_framing({{"Transfer-Encoding", "chunked,chunked"}}, 11).problem, nullptr);
}

}  // namespace
}  // namespace fanfare
