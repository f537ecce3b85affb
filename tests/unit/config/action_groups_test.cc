#include <gtest/gtest.h>

#include "config_support.h"

namespace fanfare::test {
namespace {

using Texts = std::vector<std::string>;

TEST(ActionGroups, stand_where_actions_do) {
    const EndpointConfig endpoint = endpoint_of(
        "ignore: {actions: [pull, '@write', '@read']}\n"
        "match:\n"
        "  - {field: /action, op: in, value: ['@start', x]}\n"
        "  - {field: action, op: not_in, value: '@stop'}\n"
        "  - any: [[{field: /action, op: in, value: '@meta'}]]\n");

    EXPECT_EQ(endpoint.ignored_actions, (Texts{"pull", "push", "mount", "delete"}));
    EXPECT_EQ(endpoint.match.at(0).values, (Texts{"create", "start", "unpause", "x"}));
    EXPECT_EQ(endpoint.match.at(1).values, (Texts{"kill", "stop", "die"}));
    EXPECT_EQ(endpoint.match.at(2).any.at(0).at(0).values,
              (Texts{"endpoint.down", "endpoint.up", "config.reloaded", "config.rejected",
                     "delivery.failed"}));
}

TEST(ActionGroups, mean_nothing_elsewhere) {
    const EndpointConfig endpoint = endpoint_of(
        "ignore: {mediatypes: ['@write']}\n"
        "match: [{field: /target/tag, op: in, value: '@write'}]\n");

    EXPECT_EQ(endpoint.ignored_media_types, (Texts{"@write"}));
    EXPECT_EQ(endpoint.match.at(0).values, (Texts{"@write"}));
}

TEST(ActionGroups, of_a_user_may_hold_others_in_any_order) {
    const Config config = config_of(
        "action_groups:\n"
        "  all: ['@deploy', pull, '@late']\n"
        "  deploy: [push, '@start', push]\n"
        "  late: [rollout, '@deploy']\n"
        "endpoints: [{name: a, url: 'http://a/', ignore: {actions: ['@all']}}]\n");

    EXPECT_EQ(config.action_groups.at("deploy"), (Texts{"push", "create", "start", "unpause"}));
    EXPECT_EQ(config.endpoints.at(0).ignored_actions,
              (Texts{"push", "create", "start", "unpause", "pull", "rollout"}));
    EXPECT_EQ(config.action_groups.size(), 3U);
}

TEST(ActionGroups, serve_defaults_and_registry_lists) {
    const Config config = config_of(
        "action_groups: {mine: [a, b]}\n"
        "defaults: {ignore: {actions: ['@mine']}}\n"
        "notifications: {endpoints: [{name: a, url: 'http://a/'}]}\n");

    EXPECT_EQ(config.endpoints.at(0).ignored_actions, (Texts{"a", "b"}));
}

TEST(ActionGroups, hold_a_thousand_actions_at_most) {
    std::string groups = "action_groups:\n";
    for (int group = 0; group < 3; ++group) {
        groups += "  g" + std::to_string(group) + ": [";
        for (int i = 0; i < 500; ++i) groups += "a" + std::to_string(group * 500 + i) + ", ";
        groups += "]\n";
    }

    EXPECT_EQ(errors_in(groups + "  both: ['@g0', '@g1']\nendpoints: []\n"), "");
    EXPECT_EQ(errors_in(groups + "  all: ['@g0', '@g1', '@g2']\nendpoints: []\n"),
              "f:5:8: error: action_groups.all: has too many actions; expected at most 1000\n");
}

/// Each group holds all before it: lists are bounded while they are made, not afterwards.
TEST(ActionGroups, of_groups_of_groups_take_no_time) {
    std::string text = "action_groups:\n";
    for (int group = 0; group < 100; ++group) {
        text += "  g" + std::to_string(group) + ": [";
        for (int i = 0; i < 10; ++i) text += "a" + std::to_string(group * 10 + i) + ", ";
        for (int other = 0; other < group; ++other) {
            text += "'@g" + std::to_string(other) + "', '@g" + std::to_string(other) + "', ";
        }
        text += "]\n";
    }
    text += "endpoints:\n";
    for (int i = 0; i < 100; ++i) {
        text += "  - {name: e" + std::to_string(i) +
                ", url: 'http://a/', ignore: {actions: ['@g99', '@g98', '@g1']}}\n";
    }

    const auto begun = std::chrono::steady_clock::now();
    const Config config = config_of(text);
    const auto took = std::chrono::steady_clock::now() - begun;

    EXPECT_EQ(config.action_groups.at("g99").size(), 1000U);
    EXPECT_EQ(config.endpoints.at(99).ignored_actions.size(), 1000U);
    EXPECT_LT(took, std::chrono::seconds(10)) << "it took half a minute once";
}

TEST(ActionGroups, make_no_list_of_a_filter_too_long) {
    std::string groups = "action_groups:\n";
    for (const char* group : {"g", "h"}) {
        groups += std::string("  ") + group + ": [";
        for (int i = 0; i < 600; ++i) groups += group + std::to_string(i) + ", ";
        groups += "]\n";
    }

    EXPECT_EQ(errors_in(groups + "endpoints: [{name: a, url: 'http://a/',\n"
                                 "  ignore: {actions: ['@g', '@h', x]}}]\n"),
              "f:5:28: error: endpoints[0].ignore.actions[1]: has too many actions; expected at "
              "most 1000\n");
}

}  // namespace
}  // namespace fanfare::test
