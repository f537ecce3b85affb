#include "http/egress.h"

#include <gtest/gtest.h>

#include <array>

#include "http/lookup.h"

namespace fanfare {
namespace {

using Deny = EgressOptions::Deny;

EgressPolicyPtr policy_of(const EgressOptions& options) {
    const Result<EgressPolicyPtr> made = EgressPolicy::make(options);
    EXPECT_TRUE(made.has_value()) << made.error().message();
    return *made;
}

EgressPolicyPtr preset(Deny deny) {
    EgressOptions options;
    options.deny = deny;
    return policy_of(options);
}

bool allows(const EgressPolicyPtr& policy, const std::string& address) {
    return !policy->check(net::ip::make_address(address));
}

/// An address, and whether `metadata` and `private` let it pass. `none` passes all.
struct Row {
    const char* address;
    bool metadata;
    bool non_public;
};

constexpr Row v4_rows[] = {
    // Public.
    {"8.8.8.8", true, true},
    {"1.1.1.1", true, true},
    {"93.184.216.34", true, true},
    {"11.0.0.1", true, true},
    {"172.15.255.255", true, true},
    {"172.32.0.0", true, true},
    {"192.167.255.255", true, true},
    {"100.63.255.255", true, true},
    {"100.128.0.0", true, true},
    {"198.17.255.255", true, true},
    {"198.20.0.0", true, true},
    {"223.255.255.255", true, true},
    {"192.31.196.1", true, true},
    // Where machines in a cloud learn their secrets.
    {"169.254.169.254", false, false},
    {"169.254.170.2", false, false},
    {"169.254.0.0", false, false},
    {"169.254.255.255", false, false},
    {"169.253.255.255", true, true},
    {"169.255.0.0", true, true},
    {"100.100.100.200", false, false},
    {"100.100.100.199", true, false},
    {"168.63.129.16", false, false},
    {"168.63.129.17", true, true},
    // Unspecified, multicast, broadcast.
    {"0.0.0.0", false, false},
    {"0.0.0.1", true, false},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"240.0.0.1", true, false},
    {"255.255.255.255", true, false},
    // Not public.
    {"127.0.0.1", true, false},
    {"127.255.255.254", true, false},
    {"10.0.0.1", true, false},
    {"172.16.0.1", true, false},
    {"172.31.255.255", true, false},
    {"192.168.1.1", true, false},
    {"100.64.0.1", true, false},
    {"192.0.0.8", true, false},
    {"192.0.2.1", true, false},
    {"192.88.99.1", true, false},
    {"198.18.0.1", true, false},
    {"198.19.255.255", true, false},
    {"198.51.100.7", true, false},
    {"203.0.113.7", true, false},
};

constexpr Row v6_rows[] = {
    // Public.
    {"2606:4700:4700::1111", true, true},
    {"2a00:1450:4001:800::200e", true, true},
    {"2400::1", true, true},
    // Not public.
    {"::1", true, false},
    {"::", false, false},
    {"fd00:ec2::254", false, false},
    {"fd00:ec2::253", true, false},
    {"fe80::1", false, false},
    {"febf::1", false, false},
    {"fe80::1%1", false, false},
    {"fec0::1", true, false},
    {"fc00::1", true, false},
    {"fdff::1", true, false},
    {"ff02::1", false, false},
    {"ff0e::1", false, false},
    {"2001:db8::1", true, false},
    {"3fff::1", true, false},
    {"100::1", true, false},
    {"2001:2::1", true, false},
    {"2001:20::1", true, false},
    {"5f00::1", true, false},
    {"4000::1", true, false},
    {"9000::1", true, false},
    // IPv4-mapped: the IPv4 address itself.
    {"::ffff:8.8.8.8", true, true},
    {"::ffff:169.254.169.254", false, false},
    {"::ffff:a9fe:a9fe", false, false},
    {"::ffff:127.0.0.1", true, false},
    {"::ffff:0.0.0.0", false, false},
    {"::ffff:224.0.0.1", false, false},
    // IPv4-compatible and -translated: never public themselves.
    {"::169.254.169.254", false, false},
    {"::8.8.8.8", true, false},
    {"::ffff:0:169.254.169.254", false, false},
    {"::ffff:0:8.8.8.8", true, false},
    // NAT64 with the well-known prefix.
    {"64:ff9b::8.8.8.8", true, true},
    {"64:ff9b::169.254.169.254", false, false},
    {"64:ff9b::10.0.0.1", true, false},
    {"64:ff9b::127.0.0.1", true, false},
    {"64:ff9b::100.100.100.200", false, false},
    // NAT64 with the local prefix, in the forms for lengths of 48, 56, 64 and 96 bits.
    {"64:ff9b:1:a9fe:a9:fe00::", false, false},
    {"64:ff9b:1:a9:fe:a9fe::", false, false},
    {"64:ff9b:1:0:a9:fea9:fe00::", false, false},
    {"64:ff9b:1::169.254.169.254", false, false},
    {"64:ff9b:1:fffe::8.8.8.8", true, false},
    {"64:ff9b:1::8.8.8.8", true, false},
    {"64:ff9b:1::", false, false},
    // 6to4.
    {"2002:808:808::1", true, true},
    {"2002:a9fe:a9fe::1", false, false},
    {"2002:a00:1::1", true, false},
    {"2002:7f00:1::1", true, false},
    {"2002:a83f:8110::", false, false},
    // Teredo: the server stands plainly, the client inverted.
    {"2001:0:808:808::f7f7:f7f7", true, false},
    {"2001:0:a9fe:a9fe::f7f7:f7f7", false, false},
    {"2001:0:808:808::5601:5601", false, false},
};

TEST(EgressPolicy, decides_about_ipv4_addresses_by_preset) {
    const EgressPolicyPtr none = preset(Deny::none);
    const EgressPolicyPtr metadata = preset(Deny::metadata);
    const EgressPolicyPtr non_public = preset(Deny::non_public);

    for (const Row& row : v4_rows) {
        EXPECT_TRUE(allows(none, row.address)) << row.address;
        EXPECT_EQ(allows(metadata, row.address), row.metadata) << row.address;
        EXPECT_EQ(allows(non_public, row.address), row.non_public) << row.address;
    }
}

TEST(EgressPolicy, decides_about_ipv6_addresses_by_preset) {
    const EgressPolicyPtr none = preset(Deny::none);
    const EgressPolicyPtr metadata = preset(Deny::metadata);
    const EgressPolicyPtr non_public = preset(Deny::non_public);

    for (const Row& row : v6_rows) {
        EXPECT_TRUE(allows(none, row.address)) << row.address;
        EXPECT_EQ(allows(metadata, row.address), row.metadata) << row.address;
        EXPECT_EQ(allows(non_public, row.address), row.non_public) << row.address;
    }
}

TEST(EgressPolicy, knows_every_ipv4_address_in_its_other_forms) {
    const EgressPolicyPtr metadata = preset(Deny::metadata);
    const EgressPolicyPtr non_public = preset(Deny::non_public);
    const auto hex = [](const net::ip::address_v4& address) {
        const auto bytes = address.to_bytes();
        std::array<char, 10> text{};
        std::snprintf(text.data(), text.size(), "%02x%02x:%02x%02x", bytes[0], bytes[1], bytes[2],
                      bytes[3]);
        return std::string(text.data());
    };

    for (const Row& row : v4_rows) {
        const std::string digits = hex(net::ip::make_address_v4(row.address));
        for (const std::string& form :
             {"::ffff:" + digits, "64:ff9b::" + digits, "2002:" + digits + "::1"}) {
            EXPECT_EQ(allows(metadata, form), row.metadata) << form << ", " << row.address;
            EXPECT_EQ(allows(non_public, form), row.non_public) << form << ", " << row.address;
        }
    }
}

TEST(EgressPolicy, lets_allowed_blocks_pass_in_every_form) {
    EgressOptions options;
    options.deny = Deny::non_public;
    options.allow = {"10.1.0.0/16", "fd00:1::/32", "169.254.169.254"};
    const EgressPolicyPtr policy = policy_of(options);

    for (const char* const address : {"10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3",
                                      "2002:a01:203::1", "fd00:1::9", "169.254.169.254"}) {
        EXPECT_TRUE(allows(policy, address)) << address;
    }
    for (const char* const address : {"10.2.0.1", "fd00:2::1", "169.254.169.253", "::10.1.2.3"}) {
        EXPECT_FALSE(allows(policy, address)) << address;
    }
}

TEST(EgressPolicy, does_not_take_an_ipv6_block_for_one_of_ipv4) {
    EgressOptions options;
    options.allow = {"::/0"};

    EXPECT_FALSE(allows(policy_of(options), "169.254.169.254"));
    EXPECT_TRUE(allows(policy_of(options), "fe80::1"));
}

TEST(EgressPolicy, says_which_block_an_address_is_in) {
    const auto text = [](const char* address) {
        return preset(Deny::non_public)->check(net::ip::make_address(address)).message();
    };

    EXPECT_EQ(text("169.254.169.254"),
              "egress.deny refuses the address, which is in 169.254.0.0/16 (link-local, cloud "
              "metadata)");
    EXPECT_EQ(text("64:ff9b::a00:1"),
              "egress.deny refuses the address, which is in 10.0.0.0/8 (private)");
}

TEST(EgressPolicy, refuses_cidrs_that_are_none) {
    for (const char* const text :
         {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.1/8", "fe80::%1/10", "::/129",
          "10.0.0/8", "localhost", "10.0.0.0/8/8", " 10.0.0.0/8"}) {
        EgressOptions options;
        options.allow = {text};
        EXPECT_TRUE(EgressPolicy::make(options).has_error()) << text;
    }
}

TEST(EgressPolicy, takes_hosts_that_fit_a_glob) {
    EgressOptions options;
    options.hosts = {"*.Example.com", "hooks.test", "192.0.2.*"};
    const EgressPolicyPtr policy = policy_of(options);
    const auto passes = [&](const char* url) { return !policy->check(*parse_url(url)); };

    for (const char* const url :
         {"http://a.example.com/", "https://A.B.EXAMPLE.COM:8443/", "http://hooks.test./",
          "http://hooks.test:1/", "http://user:x@hooks.test/", "http://192.0.2.7/"}) {
        EXPECT_TRUE(passes(url)) << url;
    }
    for (const char* const url :
         {"http://example.com/", "http://hooks.test.evil.net/", "http://xhooks.test/",
          "http://hooks.test@evil.net/", "http://192.0.3.7/", "http://[::1]/"}) {
        EXPECT_FALSE(passes(url)) << url;
    }
}

TEST(EgressPolicy, takes_only_listed_ports_and_https_if_told_to) {
    EgressOptions options;
    options.ports = {443, 8443};
    options.https_only = true;
    const EgressPolicyPtr policy = policy_of(options);
    const auto problem = [&](const char* url) {
        return policy->check(*parse_url(url)).value_or("");
    };

    EXPECT_EQ(problem("https://a.test/"), "");
    EXPECT_EQ(problem("https://a.test:8443/"), "");
    EXPECT_EQ(problem("https://a.test:80/"),
              "has a port that is not in egress.ports; expected one of 443, 8443");
    EXPECT_EQ(problem("http://a.test:443/"),
              "is plain HTTP, which egress.https_only refuses; expected an https URL");
}

// What the system's resolver makes of them is what is judged.
TEST(EgressPolicy, sees_through_numeric_spellings) {
    const EgressPolicyPtr metadata = preset(Deny::metadata);
    const EgressPolicyPtr non_public = preset(Deny::non_public);

    for (const char* const host :
         {"127.1", "127.0.1", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "2130706433",
          "017700000001", "0177.0.0.1", "0177.1", "127.0.0.1"}) {
        const Url url = *parse_url("http://" + std::string(host) + "/");
        const Resolved resolved = lookup_host(url.host);
        ASSERT_FALSE(resolved.addresses.empty()) << host;
        EXPECT_EQ(resolved.addresses.front(), net::ip::make_address("127.0.0.1")) << host;
        EXPECT_EQ(literal_address(url.host), net::ip::make_address("127.0.0.1")) << host;
        for (const net::ip::address& address : resolved.addresses) {
            EXPECT_TRUE(non_public->check(address)) << host;
            EXPECT_FALSE(metadata->check(address)) << host;
        }
    }
    for (const char* const host : {"169.254.43518", "0xa9fea9fe", "2852039166",
                                   "0251.0376.0251.0376", "0xa9.254.0251.254"}) {
        const Url url = *parse_url("http://" + std::string(host) + "/");
        for (const net::ip::address& address : lookup_host(url.host).addresses) {
            EXPECT_TRUE(metadata->check(address)) << host;
        }
        EXPECT_TRUE(metadata->check(literal_address(url.host).value())) << host;
    }
}

TEST(EgressPolicy, knows_an_ipv6_literal_in_a_url) {
    const auto literal = [](const char* url) { return literal_address(parse_url(url)->host); };

    EXPECT_EQ(literal("http://[::ffff:169.254.169.254]/"),
              net::ip::make_address("::ffff:169.254.169.254"));
    EXPECT_EQ(literal("http://[fd00:ec2::254]:80/"), net::ip::make_address("fd00:ec2::254"));
    EXPECT_EQ(literal("http://example.com/"), std::nullopt);
    EXPECT_EQ(literal("http://1.2.3.4.example.com/"), std::nullopt);
}

}  // namespace
}  // namespace fanfare
