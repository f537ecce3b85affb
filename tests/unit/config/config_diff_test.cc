#include "config/config_diff.h"

#include "config_support.h"

namespace fanfare::test {
namespace {

using Names = std::vector<std::string>;

constexpr const char* two_endpoints =
    "  - {name: a, url: 'http://a/'}\n"
    "  - {name: b, url: 'http://b/'}\n";

Config with(const std::string& top, const std::string& endpoints = two_endpoints) {
    return config_of(top + "endpoints:\n" + endpoints);
}

/// What changing one key of an endpoint comes to.
class ChangedEndpoint : public testing::TestWithParam<const char*> {};

TEST_P(ChangedEndpoint, is_told_apart_from_the_others) {
    const Config before = with("");
    const Config after = with("", std::string("  - {name: a, url: 'http://a/', ") + GetParam() +
                                      "}\n  - {name: b, url: 'http://b/'}\n");

    const ConfigDiff diff = diff_configs(before, after);

    EXPECT_EQ(diff.changed, Names{"a"});
    EXPECT_EQ(diff.unchanged, Names{"b"});
    EXPECT_EQ(diff.added, Names{});
    EXPECT_EQ(diff.removed, Names{});
    EXPECT_EQ(diff.needs_restart, Names{});
}

INSTANTIATE_TEST_SUITE_P(
    ByKey, ChangedEndpoint,
    testing::Values("timeout: 2s", "headers: {X-A: [b]}", "threshold: 3", "backoff: 3s",
                    "ignore: {actions: [pull]}", "match: [{field: /a, op: exists}]",
                    "max_in_flight: 2", "max_in_flight: 2, order_by: /a", "batch: {max_events: 9}",
                    "retry: {strategy: exponential}", "tls: {server_name: c}", "format: event",
                    "format: template, template: x", "success: [200]", "proxy: 'http://p:1'",
                    "idle_timeout: 1s", "queue: {max_events: 9}", "queue: {overflow: reject}",
                    "auth: {type: bearer, token_file: /t}",
                    "signing: {scheme: github, secrets: [topsecret]}"));

TEST(ConfigDiff, tells_added_removed_and_unchanged_endpoints_by_name) {
    const Config before = with("");
    const Config after = with("",
                              "  - {name: c, url: 'http://a/'}\n"
                              "  - {name: b, url: 'http://b/'}\n");

    const ConfigDiff diff = diff_configs(before, after);

    EXPECT_EQ(diff.added, Names{"c"});
    EXPECT_EQ(diff.removed, Names{"a"});
    EXPECT_EQ(diff.unchanged, Names{"b"});
    EXPECT_EQ(diff.changed, Names{});
}

TEST(ConfigDiff, does_not_care_about_the_order_of_endpoints) {
    const Config after = with("",
                              "  - {name: b, url: 'http://b/'}\n"
                              "  - {name: a, url: 'http://a/'}\n");

    EXPECT_EQ(diff_configs(with(""), after).unchanged, (Names{"b", "a"}));
}

TEST(ConfigDiff, takes_a_disabled_endpoint_for_one_that_is_not_there) {
    const Config off = with("",
                            "  - {name: a, url: 'http://a/', disabled: true}\n"
                            "  - {name: b, url: 'http://b/'}\n");

    EXPECT_EQ(diff_configs(with(""), off).removed, Names{"a"});
    EXPECT_EQ(diff_configs(off, with("")).added, Names{"a"});
    EXPECT_EQ(diff_configs(off, off).unchanged, Names{"b"});
}

TEST(ConfigDiff, sees_defaults_and_egress_in_the_endpoints_that_they_concern) {
    const Config after = with("defaults: {timeout: 3s}\n",
                              "  - {name: a, url: 'http://a/', timeout: 1s}\n"
                              "  - {name: b, url: 'http://b/'}\n");

    EXPECT_EQ(diff_configs(with(""), after).changed, Names{"b"});
    EXPECT_EQ(diff_configs(with(""), with("egress: {deny: none}\n")).changed, (Names{"a", "b"}));
}

struct TopKey {
    const char* yaml;
    Names needs_restart = {};
    Names settings = {};
};

class ChangedTopKey : public testing::TestWithParam<TopKey> {};

TEST_P(ChangedTopKey, says_whether_it_needs_a_restart) {
    const ConfigDiff diff = diff_configs(with(""), with(GetParam().yaml));

    EXPECT_EQ(diff.needs_restart, GetParam().needs_restart);
    EXPECT_EQ(diff.settings, GetParam().settings);
}

INSTANTIATE_TEST_SUITE_P(
    ByKey, ChangedTopKey,
    testing::Values(
        TopKey{"ingest: {listen: '127.0.0.1:1'}\n", {"ingest.listen"}},
        TopKey{"ingest: {dedup: {window: 1s}, tls: {cert_file: /c, key_file: /k}}\n",
               {"ingest.tls.cert_file", "ingest.tls.key_file", "ingest.dedup.window"}},
        TopKey{"admin: {listen: '127.0.0.1:1', bearer_token_file: /t}\n",
               {"admin.listen", "admin.bearer_token_file"}},
        TopKey{"threads: 2\n", {"threads"}},
        TopKey{"queue: {max_bytes: 1GiB}\n", {"queue.max_bytes"}},
        TopKey{"dead_letters: {dir: /d}\n", {"dead_letters.dir"}},
        TopKey{"log: {level: debug, format: json}\n", {"log.format"}, {"log.level"}},
        TopKey{"shutdown: {drain: 1s}\n", {}, {"shutdown.drain"}},
        TopKey{"reload: {watch: false}\n", {}, {"reload.watch"}},
        TopKey{"meta: {enabled: false, down_after: 2}\n", {}, {"meta.enabled", "meta.down_after"}},
        TopKey{"history: {capacity: 9}\nstreams: {max_total: 3, max_age: 1h}\n",
               {},
               {"history.capacity", "streams.max_total", "streams.max_age"}},
        TopKey{"action_groups: {deploy: [push]}\n", {}, {"action_groups.deploy"}}));

TEST(ConfigDiff, names_a_setting_that_is_gone) {
    const ConfigDiff diff = diff_configs(with("action_groups: {deploy: [push]}\n"), with(""));

    EXPECT_EQ(diff.settings, Names{"action_groups.deploy"});
}

TEST(TakenOver, takes_what_needs_no_restart_and_nothing_else) {
    const Config running = with("threads: 2\n");
    const Config loaded = with(
        "threads: 3\nlog: {level: debug, format: json}\nshutdown: {drain: 1s}\n"
        "reload: {watch: false}\naction_groups: {deploy: [push]}\n"
        "meta: {enabled: false, down_after: 2}\n",
        "  - {name: c, url: 'http://c/'}\n");

    const Config result = taken_over(running, loaded);

    EXPECT_EQ(result.threads, 2U);
    EXPECT_EQ(result.log.level, LogLevel::debug);
    EXPECT_EQ(result.log.format, LogFormat::text);
    EXPECT_EQ(result.shutdown_drain, std::chrono::seconds(1));
    EXPECT_FALSE(result.reload.watch);
    EXPECT_EQ(result.meta, (MetaOptions{false, 2}));
    EXPECT_EQ(result.action_groups, loaded.action_groups);
    EXPECT_EQ(result.endpoints, loaded.endpoints);
    EXPECT_EQ(diff_configs(result, loaded).needs_restart, (Names{"log.format", "threads"}));
}

}  // namespace
}  // namespace fanfare::test
