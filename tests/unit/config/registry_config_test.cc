// What a registry's own configuration means here.
#include <gtest/gtest.h>

#include "config_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* all_keys = R"(notifications:
  events:
    includereferences: false
  endpoints:
    - name: alistener
      disabled: false
      url: https://my.listener.example.com/event?a=b
      headers:
        Authorization: [Bearer token]
        X-Two: [one, two]
      timeout: 1s
      threshold: 10
      backoff: 1s
      ignoredmediatypes:
        - application/octet-stream
      ignore:
        mediatypes:
          - application/vnd.oci.image.index.v1+json
        actions:
          - pull
)";

EndpointConfig all_keys_endpoint() {
    EndpointConfig endpoint;
    endpoint.name = "alistener";
    endpoint.http.url = "https://my.listener.example.com/event?a=b";
    endpoint.http.headers = {{"Authorization", "Bearer token"}, {"X-Two", "one"}, {"X-Two", "two"}};
    endpoint.ignored_media_types = {"application/vnd.oci.image.index.v1+json",
                                    "application/octet-stream"};
    endpoint.ignored_actions = {"pull"};
    return endpoint;
}

// Acceptance 11.
TEST(RegistryConfig, loads_a_notifications_block_with_all_keys_as_it_is) {
    const Config config = config_of(all_keys);

    ASSERT_EQ(config.endpoints.size(), 1U);
    EXPECT_EQ(config.endpoints[0], all_keys_endpoint());
    EXPECT_TRUE(config.warnings.empty());
}

// Acceptance 11.
TEST(RegistryConfig, reads_only_the_notifications_of_a_whole_file) {
    const Config config = config_of(std::string(R"(version: 0.1
log: {level: info, fields: {service: registry}, hooks: []}
storage: {filesystem: {rootdirectory: /var/lib/registry}}
storage: {delete: {enabled: true}}
threads: many
http: {addr: ':5000', headers: {X-Content-Type-Options: [nosniff]}, secret: '${UNSET}'}
)") + all_keys);

    Config expected;
    expected.endpoints = {all_keys_endpoint()};
    expected.warnings = config.warnings;
    EXPECT_EQ(config, expected);
    ASSERT_EQ(config.warnings.size(), 1U);
    EXPECT_NE(config.warnings[0].find("only its notifications"), std::string::npos);
}

TEST(RegistryConfig, takes_a_notifications_block_beside_other_keys) {
    const Config config = config_of(
        "threads: 3\ndefaults: {timeout: 4s}\n"
        "notifications: {endpoints: [{name: a, url: 'http://a/'}]}\n");

    EXPECT_EQ(config.threads, 3U);
    EXPECT_EQ(config.endpoints.at(0).http.timeout, 4s);
}

TEST(RegistryConfig, takes_an_empty_list_of_endpoints) {
    EXPECT_TRUE(config_of("notifications: {endpoints: []}\n").endpoints.empty());
}

// Acceptance 12.
TEST(RegistryConfig, reads_durations_as_the_registry_does) {
    EXPECT_EQ(endpoint_of("timeout: 1m1.5s").http.timeout, 61500ms);
    EXPECT_EQ(endpoint_of("timeout: 500ms").http.timeout, 500ms);
    EXPECT_EQ(endpoint_of("timeout: -5s").http.timeout, 1s);
    EXPECT_EQ(endpoint_of("").http.timeout, 1s);
}

// Acceptance 12; the registry takes a bare number for nanoseconds.
TEST(RegistryConfig, refuses_a_duration_without_a_unit) {
    EXPECT_EQ(errors_in("endpoints: [{name: a, url: 'http://a/', timeout: 5}]\n"),
              "f:1:50: error: endpoints[0].timeout: \"5\" has no unit; expected a duration from "
              "1ms to 1h, e.g. \"5s\"\n");
}

// Acceptance 22.
TEST(RegistryConfig, takes_the_default_for_zero_and_less) {
    for (const char* value : {"0", "-3"}) {
        EXPECT_EQ(endpoint_of(std::string("threshold: ") + value).retry.threshold, 10) << value;
    }
    for (const char* value : {"0s", "-1s", "-1ns", "null"}) {
        EXPECT_EQ(endpoint_of(std::string("timeout: ") + value).http.timeout, 1s) << value;
        EXPECT_EQ(endpoint_of(std::string("backoff: ") + value).retry.backoff, 1s) << value;
        EXPECT_EQ(endpoint_of(std::string("connect_timeout: ") + value).http.connect_timeout, 0s);
    }
}

TEST(RegistryConfig, takes_the_built_in_default_for_zero_even_with_defaults) {
    const Config config = config_of(
        "defaults: {timeout: 5s}\nendpoints: [{name: a, url: 'http://a/', timeout: 0s}]\n");

    EXPECT_EQ(config.endpoints.at(0).http.timeout, 1s);
}

/// A line of an endpoint, and whether it is taken; the registry's own answer stands beside it.
struct Row {
    const char* line;
    bool is_taken;
};

class RegistryRow : public testing::TestWithParam<Row> {};

TEST_P(RegistryRow, has_its_documented_answer) {
    const std::string text = std::string("notifications:\n  endpoints:\n    - name: a\n") +
                             "      url: http://a/\n      " + GetParam().line + "\n";

    EXPECT_EQ(errors_in(text).empty(), GetParam().is_taken) << errors_in(text);
}

// Acceptance 13 and 14 among them; config/README.md has the same table.
INSTANTIATE_TEST_SUITE_P(
    Facts, RegistryRow,
    testing::Values(Row{"headers: {Authorization: Bearer x}", true},  // registry: refused
                    Row{"retries: 3", false},                         // ignored
                    Row{"tls: {skip: true}", false},                  // ignored
                    Row{"Timeout: 1s", false},                        // ignored
                    Row{"headers: {a: [b], a: [c]}", false},          // the last one wins
                    Row{"timeout: fast", false},                      // refused
                    Row{"timeout: 5 s", false},                       // refused
                    Row{"timeout: 1d", false},                        // refused
                    Row{"timeout: \"5\"", false},                     // refused
                    Row{"timeout: 5", false},                         // 5 ns
                    Row{"timeout: 1.9", false},                       // 1 ns
                    Row{"timeout: 1m1.5s", true},                     // 61.5 s
                    Row{"timeout: -5s", true},                        // the default
                    Row{"timeout: 0s", true},                         // the default
                    Row{"timeout: null", true},                       // the default
                    Row{"threshold: 2.7", false},                     // 2
                    Row{"threshold: \"5\"", false},                   // refused
                    Row{"threshold: 5s", false},                      // refused
                    Row{"disabled: yes", true},                       // true
                    Row{"disabled: \"true\"", false},                 // refused
                    Row{"ignore: {actions: pull}", false},            // refused
                    Row{"ignoredmediatypes: a/b", false},             // refused
                    Row{"ignore: {actions: [PULL, bogus]}", true}));  // matches nothing

TEST(RegistryConfig, takes_a_number_for_a_name) {
    EXPECT_EQ(config_of("endpoints: [{name: 42, url: 'http://a/'}]\n").endpoints.at(0).name, "42");
}

TEST(RegistryConfig, reads_booleans_as_yaml_1_1_has_them) {
    for (const char* yes : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "y", "Y"}) {
        EXPECT_TRUE(endpoint_of(std::string("disabled: ") + yes).disabled) << yes;
    }
    for (const char* no : {"false", "False", "no", "NO", "off", "Off", "OFF", "n", "N"}) {
        EXPECT_FALSE(endpoint_of(std::string("disabled: ") + no).disabled) << no;
    }
}

// Acceptance 13.
TEST(RegistryConfig, refuses_a_mapping_of_endpoints) {
    EXPECT_EQ(errors_in("notifications:\n  endpoints:\n    a: {url: 'http://a/'}\n"),
              "f:3:5: error: notifications.endpoints: is a mapping; expected a list of "
              "endpoints\n");
}

// Acceptance 14.
TEST(RegistryConfig, refuses_what_could_never_work) {
    for (const char* endpoints :
         {"{name: a, url: ''}", "{name: a, url: 'ftp://a/'}", "{name: '', url: 'http://a/'}",
          "{name: a, url: 'http://a/'}, {name: a, url: 'http://b/'}"}) {
        EXPECT_NE(errors_in(std::string("endpoints: [") + endpoints + "]\n"), "") << endpoints;
    }
}

// Acceptance 26.
TEST(RegistryConfig, refuses_headers_that_frame_the_request) {
    for (const char* name : {"Host", "host", "Content-Length", "Transfer-Encoding", "CONNECTION"}) {
        const std::string text =
            std::string("endpoints: [{name: a, url: 'http://a/', headers: {") + name + ": [x]}}]\n";
        EXPECT_NE(errors_in(text).find("cannot be configured"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace fanfare::test
