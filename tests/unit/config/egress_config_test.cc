#include "config_support.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::config_of;
using test::endpoint_of;
using test::environment;
using test::errors_in;

TEST(EgressConfig, is_carried_over_to_every_endpoint) {
    const Config config = config_of(R"(
endpoints:
  - {name: a, url: 'https://a.example.com/'}
  - {name: b, url: 'https://b.example.com:8443/'}
egress: {deny: private, allow: [10.0.0.0/8, '::1'], hosts: ['*.example.com'], https_only: true,
         ports: [443, 8443]}
)");

    EgressOptions expected;
    expected.deny = EgressOptions::Deny::non_public;
    expected.allow = {"10.0.0.0/8", "::1"};
    expected.hosts = {"*.example.com"};
    expected.https_only = true;
    expected.ports = {443, 8443};
    EXPECT_EQ(config.egress, expected);
    EXPECT_EQ(config.endpoints.at(0).http.egress, expected);
    EXPECT_EQ(config.endpoints.at(1).http.egress, expected);
}

TEST(EgressConfig, denies_metadata_by_default_in_a_registrys_file_too) {
    const Config config = config_of(R"(
version: 0.1
notifications:
  endpoints:
    - {name: a, url: 'http://a.test/'}
)");

    EXPECT_EQ(config.endpoints.at(0).http.egress.deny, EgressOptions::Deny::metadata);
}

TEST(EgressConfig, warns_of_a_url_whose_address_is_bound_to_be_blocked) {
    const Config config = config_of(R"(
endpoints:
  - {name: literal, url: 'http://169.254.169.254/latest'}
  - {name: number, url: 'http://2852039166/'}
  - {name: 'off', url: 'http://169.254.169.254/', disabled: true}
  - {name: loopback, url: 'http://127.0.0.1/'}
)");

    ASSERT_EQ(config.warnings.size(), 2U);
    EXPECT_NE(config.warnings[0].find("\"literal\""), std::string::npos);
    EXPECT_NE(config.warnings[1].find("\"number\""), std::string::npos);
}

TEST(EgressConfig, warns_of_names_that_only_a_proxy_resolves_where_private_addresses_are_denied) {
    const std::string endpoints = R"(
endpoints:
  - {name: direct, url: 'http://a.test/'}
  - {name: listed, url: 'http://a.test/', proxy: 'http://p.test', no_proxy: [.test]}
  - {name: literal, url: 'http://192.0.3.1/', proxy: 'http://p.test'}
  - {name: 'off', url: 'http://a.test/', proxy: 'http://p.test', disabled: true}
  - {name: named, url: 'http://a.test/', proxy: 'http://user:s3cr3t@p.test'}
)";

    const Config strict = config_of("egress: {deny: private}" + endpoints);
    const Config guarded =
        config_of("egress: {deny: private, hosts: ['*.test', '192.*']}" + endpoints);

    EXPECT_EQ(strict.warnings,
              std::vector<std::string>{
                  "the url of the endpoint \"named\" names a host that its proxy resolves: "
                  "egress.deny sees no address of it; list what is allowed in egress.hosts"});
    EXPECT_TRUE(guarded.warnings.empty());
    EXPECT_TRUE(config_of(endpoints).warnings.empty());
}

TEST(EgressConfig, shows_no_secret_of_a_url_that_it_refuses) {
    const std::string errors = errors_in(
        "egress: {https_only: true}\n"
        "endpoints: [{name: a, url: 'http://user:s3cr3t@a.test/${TOKEN}'}]\n",
        environment({{"TOKEN", "t0ken"}}));

    EXPECT_NE(errors.find("f:2:28: error: endpoints[0].url: "), std::string::npos) << errors;
    EXPECT_EQ(errors.find("s3cr3t"), std::string::npos);
    EXPECT_EQ(errors.find("t0ken"), std::string::npos);
}

TEST(EgressConfig, reads_how_an_endpoint_is_reached) {
    const EndpointConfig endpoint = endpoint_of(
        "idle_timeout: 5s\n"
        "proxy: http://user:${PASSWORD}@proxy.test:3128\n"
        "no_proxy: [localhost, .internal, 10.0.0.0/8]\n",
        environment({{"PASSWORD", "x"}}));

    const std::vector<std::string> direct = {"localhost", ".internal", "10.0.0.0/8"};
    EXPECT_EQ(endpoint.http.idle_timeout, 5s);
    EXPECT_EQ(endpoint.http.proxy, "http://user:x@proxy.test:3128");
    EXPECT_EQ(endpoint.http.no_proxy, direct);
    EXPECT_EQ(endpoint_of("").http.idle_timeout, 60s);
}

}  // namespace
}  // namespace fanfare
