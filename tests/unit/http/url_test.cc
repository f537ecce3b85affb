#include "http/url.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

Url parsed(std::string_view text) {
    const Result<Url> url = parse_url(text);
    EXPECT_TRUE(url.has_value()) << text << ": " << url.error().message();
    return url.has_value() ? *url : Url{};
}

std::string problem(std::string_view text) {
    const Result<Url> url = parse_url(text);
    return url.has_error() ? url.error().message() : "";
}

TEST(Url, keeps_path_and_query_as_written) {
    const Url url = parsed("http://example.com/a%20b/../c?x=%41&y=a/b?c");

    EXPECT_EQ(url.target, "/a%20b/../c?x=%41&y=a/b?c");
    EXPECT_EQ(url.host, "example.com");
    EXPECT_EQ(url.port, 80);
    EXPECT_FALSE(url.is_tls());
}

TEST(Url, has_a_slash_for_an_empty_path) {
    EXPECT_EQ(parsed("http://example.com").target, "/");
    EXPECT_EQ(parsed("http://example.com?a=b").target, "/?a=b");
}

TEST(Url, knows_the_port_of_each_scheme) {
    EXPECT_EQ(parsed("http://h").port, 80);
    EXPECT_EQ(parsed("HTTPS://h").port, 443);
    EXPECT_TRUE(parsed("HTTPS://h").is_tls());
    EXPECT_EQ(parsed("https://h:8443").port, 8443);
    EXPECT_EQ(parsed("http://h:/").port, 80);
}

TEST(Url, names_a_port_in_the_host_header_only_if_it_is_not_the_default) {
    EXPECT_EQ(parsed("http://Example.com:80/").host_header, "Example.com");
    EXPECT_EQ(parsed("http://Example.com:8080/").host_header, "Example.com:8080");
    EXPECT_EQ(parsed("https://[::1]:443/").host_header, "[::1]");
    EXPECT_EQ(parsed("https://[::1]:80/").host_header, "[::1]:80");
}

TEST(Url, has_address_literals_without_brackets) {
    EXPECT_EQ(parsed("http://[2001:DB8::1]/").host, "2001:db8::1");
    EXPECT_EQ(parsed("http://127.0.0.1:1/").host, "127.0.0.1");
}

// Acceptance 27.
TEST(Url, takes_a_name_that_begins_like_an_address_for_a_name) {
    const Url url = parsed("https://u:p@10.0.0.1.nip.io:8443/x?y");

    EXPECT_EQ(url.host, "10.0.0.1.nip.io");
    EXPECT_EQ(url.host_header, "10.0.0.1.nip.io:8443");
    EXPECT_EQ(url.target, "/x?y");
    EXPECT_EQ(parsed("http://1.2.3.4a").host, "1.2.3.4a");
    EXPECT_NE(problem("http://10.0.0.1:80x/"), "");
    EXPECT_NE(problem("http://10.0.0.1$/"), "");
}

TEST(Url, turns_userinfo_into_basic_authorization) {
    EXPECT_EQ(parsed("http://user:pa%20ss@h/").authorization, "Basic dXNlcjpwYSBzcw==");
    EXPECT_EQ(parsed("http://user@h/").authorization, "Basic dXNlcjo=");
    EXPECT_EQ(parsed("http://h/").authorization, "");
    EXPECT_EQ(parsed("http://user:pass@h:8080/").host_header, "h:8080");
}

class BadUrl : public testing::TestWithParam<const char*> {};

TEST_P(BadUrl, is_refused) { EXPECT_NE(problem(GetParam()), ""); }

INSTANTIATE_TEST_SUITE_P(
    Url, BadUrl,
    testing::Values("", "/events", "example.com/x", "//example.com/x", "ftp://example.com/",
                    "http:example.com", "http://", "http:///path", "http://:80/", "http://h:0/",
                    "http://h:65536/", "http://h:99999/", "http://h:99999999999999999999/",
                    "http://h:8x/", "http://a:b:c/", "http://h:x/", "http://h/#top", "http://h/a b",
                    " http://h/", "http://h/\n", "http://h/\x7f", "http://h%00/", "http://a%2fb/",
                    "http://h%20x/", "http://[::1/", "http://[v1.x]/", "http://h/%zz",
                    "http://b\xc3\xa9/", "http://h\\x/"));

TEST(Url, refuses_a_host_longer_than_a_name_can_be) {
    EXPECT_EQ(problem("http://" + std::string(253, 'a') + "/"), "");
    EXPECT_NE(problem("http://" + std::string(254, 'a') + "/"), "");
}

TEST(Url, says_what_is_wrong_without_userinfo) {
    for (const char* text : {"http://me:secret@h/#x", "ftp://me:secret@h/", "http://me:secret@/",
                             "http://me:secret@h:99999/", "http://me:secret @h/"}) {
        EXPECT_EQ(problem(text).find("secret"), std::string::npos) << text;
        EXPECT_NE(problem(text), "") << text;
    }
}

TEST(WithoutUserinfo, removes_it_and_nothing_else) {
    EXPECT_EQ(without_userinfo("https://h/p?q=a@b"), "https://h/p?q=a@b");
    EXPECT_EQ(without_userinfo("https://me:pw@h:1/p?q=1"), "https://h:1/p?q=1");
    EXPECT_EQ(without_userinfo("https://me:p@w@h"), "https://h");
    EXPECT_EQ(without_userinfo("https://h?x=me:pw@y"), "https://h?x=me:pw@y");
    EXPECT_EQ(without_userinfo("not a url"), "not a url");
}

TEST(RedactedUrl, has_neither_userinfo_nor_query) {
    EXPECT_EQ(redacted_url("https://me:secret@h:8443/hook?token=x"), "https://h:8443/hook");
    EXPECT_EQ(redacted_url("http://h"), "http://h/");
    EXPECT_EQ(redacted_url("http://me:secret@h h/"), "<bad url>");
}

}  // namespace
}  // namespace fanfare
