// Remarks on configurations that are good all the same.
#include <gtest/gtest.h>

#include "config_support.h"

namespace fanfare::test {
namespace {

using Texts = std::vector<std::string>;

Texts warnings_of(const std::string& endpoint, const std::string& top = {}) {
    return config_of(top + "endpoints: [{name: a, url: 'https://a/', " + endpoint + "}]\n")
        .warnings;
}

TEST(ConfigWarnings, tell_of_keys_that_nothing_heeds) {
    EXPECT_EQ(warnings_of("no_proxy: [localhost]"),
              Texts{"no_proxy of the endpoint \"a\" has no effect without proxy"});
    EXPECT_EQ(warnings_of("type_prefix: com.example"),
              Texts{"type_prefix of the endpoint \"a\" has no effect with a format other than "
                    "cloudevents and cloudevents-binary"});
    EXPECT_EQ(warnings_of("batch: {linger: 1s}"),
              Texts{"batch.linger of the endpoint \"a\" has no effect with max_events 1"});
    EXPECT_EQ(config_of("endpoints: [{name: a, url: 'http://a/', tls: {ca_file: /c}}]").warnings,
              Texts{"tls of the endpoint \"a\" has no effect on an http URL"});
    EXPECT_EQ(config_of("dead_letters: {max_bytes: 1MiB}\nendpoints: []\n").warnings,
              Texts{"dead_letters.max_bytes has no effect without dead_letters.dir"});
}

TEST(ConfigWarnings, are_none_where_the_key_is_heeded_or_at_its_default) {
    for (const char* endpoint :
         {"no_proxy: [localhost], proxy: 'http://p:1'", "type_prefix: b, format: cloudevents",
          "type_prefix: b, format: cloudevents-binary", "batch: {linger: 1s, max_events: 2}",
          "batch: {linger: 0s}", "tls: {ca_file: /c}", "no_proxy: []", "threshold: 3",
          "type_prefix: fanfare.event"}) {
        EXPECT_EQ(warnings_of(endpoint), Texts{}) << endpoint;
    }
    EXPECT_EQ(warnings_of("disabled: false", "dead_letters: {dir: /d, max_bytes: 1MiB}\n"),
              Texts{});
}

/// Defaults are for other endpoints as well.
TEST(ConfigWarnings, are_none_for_what_stands_in_defaults) {
    EXPECT_EQ(config_of("defaults: {no_proxy: [a], type_prefix: b, tls: {ca_file: /c},\n"
                        "           threshold: 3, batch: {linger: 1s}}\n"
                        "endpoints: [{name: a, url: 'http://a/', retry: {strategy: exponential}}]")
                  .warnings,
              Texts{});
}

TEST(ConfigWarnings, tell_of_a_breaker_s_keys_where_defaults_ask_for_another_strategy) {
    EXPECT_EQ(
        warnings_of("threshold: 3, backoff: 2s", "defaults: {retry: {strategy: exponential}}\n"),
        (Texts{"threshold of the endpoint \"a\" has no effect with the strategy exponential",
               "backoff of the endpoint \"a\" has no effect with the strategy exponential"}));
}

TEST(ConfigWarnings, tell_of_rules_that_ask_for_events_which_are_not_made) {
    const Texts expected = {
        "match of the endpoint \"a\" asks for events of Fanfare's own, and meta.enabled is false"};
    const std::string rules = "match: [{field: action, op: in, value: '@meta'}]";

    EXPECT_EQ(warnings_of(rules, "meta: {enabled: false}\n"), expected);
    EXPECT_EQ(warnings_of(rules), Texts{});
    EXPECT_EQ(warnings_of("ignore: {actions: ['@meta']}", "meta: {enabled: false}\n"), Texts{});
}

}  // namespace
}  // namespace fanfare::test
