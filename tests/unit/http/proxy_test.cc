#include "http/proxy.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(Proxy, is_an_http_url_with_nothing_behind_the_port) {
    const Result<Url> proxy = parse_proxy("http://user:pa%20ss@proxy.test:3128");

    ASSERT_TRUE(proxy.has_value());
    EXPECT_EQ(proxy->host, "proxy.test");
    EXPECT_EQ(proxy->port, 3128);
    EXPECT_EQ(proxy->authorization, "Basic dXNlcjpwYSBzcw==");
    EXPECT_TRUE(parse_proxy("http://proxy.test/").has_value());
}

TEST(Proxy, is_refused_in_other_forms_without_showing_its_password) {
    for (const char* const text :
         {"", "proxy.test:3128", "https://u:secret@proxy.test", "socks5://u:secret@proxy.test",
          "http://u:secret@proxy.test/path", "http://u:secret@proxy.test/?q",
          "http://u:secret@proxy.test:99999"}) {
        const Result<Url> proxy = parse_proxy(text);
        ASSERT_TRUE(proxy.has_error()) << text;
        EXPECT_EQ(proxy.error().message().find("secret"), std::string::npos) << text;
    }
}

TEST(Proxy, is_passed_by_for_listed_hosts) {
    const std::vector<std::string> listed = {"localhost",   ".internal",   "10.0.0.0/8",
                                             "fd00::/8",    "192.168.1.5", "Example.COM",
                                             "rooted.test."};

    for (const char* const host :
         {"localhost", "LOCALHOST", "a.internal", "a.b.Internal", "a.internal.", "10.9.8.7", "10.1",
          "10.1.", "fd00::1", "192.168.1.5", "example.com", "example.com.", "rooted.test"}) {
        EXPECT_TRUE(is_listed(host, listed)) << host;
    }
    for (const char* const host : {"internal", "xinternal", "a.example.com", "11.0.0.1", "fe80::1",
                                   "192.168.1.50", "10.0.0.1.example.org", "localhost.evil.net"}) {
        EXPECT_FALSE(is_listed(host, listed)) << host;
    }
}

TEST(Proxy, says_what_cannot_be_passed_by) {
    for (const char* const text :
         {"localhost", ".internal", "10.0.0.0/8", "::1", "10.0.0.1", "a_b"}) {
        EXPECT_TRUE(check_no_proxy(text).has_value()) << text;
    }
    for (const char* const text :
         {"", ".", "*", "*.test", "10.0.0.1/8", "host:80", "a b", "10.0.0.0/40"}) {
        EXPECT_TRUE(check_no_proxy(text).has_error()) << text;
    }
}

TEST(Proxy, is_asked_for_a_tunnel_by_host_and_port) {
    const Url proxy = *parse_proxy("http://user:pass@proxy.test:3128");
    const auto request = [&](const char* url) {
        return make_tunnel(*parse_url(url), proxy)->request;
    };

    const std::string tunnel = request("https://u:p@receiver.test/hook?x");
    EXPECT_TRUE(
        tunnel.starts_with("CONNECT receiver.test:443 HTTP/1.1\r\n"
                           "Host: receiver.test:443\r\nUser-Agent: fanfare/"));
    EXPECT_TRUE(tunnel.ends_with("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"));
    EXPECT_TRUE(request("https://[::1]:8443/").starts_with("CONNECT [::1]:8443 HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace fanfare
