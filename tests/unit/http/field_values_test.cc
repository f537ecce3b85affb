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

TEST(Connection, is_asked_for_among_other_options_and_without_case) {
    EXPECT_TRUE(read_connection({{"connection", "Upgrade ,\tCLOSE"}}).wants_close);
    EXPECT_TRUE(
        read_connection({{"Connection", "x"}, {"CONNECTION", ",Keep-Alive"}}).wants_keep_alive);
    EXPECT_FALSE(read_connection({{"Connection", "clos, closed"}}).wants_close);
    EXPECT_FALSE(read_connection({{"Connect", "close"}}).wants_close);
}

TEST(Connection, asks_for_nothing_by_the_name_of_its_forerunner) {
    const ConnectionWish wish = read_connection({{"Proxy-Connection", "close, keep-alive"}});

    EXPECT_FALSE(wish.wants_close);
    EXPECT_FALSE(wish.wants_keep_alive);
    EXPECT_EQ(wish.problem, nullptr);
}

TEST(Connection, is_a_list_of_tokens) {
    for (const char* name : {"Connection", "proxy-connection"}) {
        for (const char* good : {"", ",", "a", "a,b", ", a ,,\tb ,"}) {
            EXPECT_EQ(read_connection({{name, good}}).problem, nullptr) << name << ": " << good;
        }
        for (const char* bad :
             {"a b", "\"close\"", "close;", "a,b c", "a/b", "\xc3\xa4", "a,(b)"}) {
            EXPECT_NE(read_connection({{name, bad}}).problem, nullptr) << name << ": " << bad;
        }
    }
}

TEST(KeepAlive, is_the_rule_in_1_1_and_the_exception_in_1_0) {
    EXPECT_TRUE(read_connection({}).can_stay_open(11));
    EXPECT_FALSE(read_connection({{"Connection", "keep-alive, close"}}).can_stay_open(11));
    EXPECT_FALSE(read_connection({}).can_stay_open(10));
    EXPECT_TRUE(read_connection({{"Connection", "Keep-Alive"}}).can_stay_open(10));
}

TEST(Version, is_1_0_or_1_1) {
    EXPECT_EQ(check_version(10), nullptr);
    EXPECT_EQ(check_version(11), nullptr);
    for (const int bad : {0, 9, 12, 20, 99}) EXPECT_NE(check_version(bad), nullptr) << bad;
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
