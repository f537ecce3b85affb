#include "config/effective.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config_support.h"

namespace fanfare::test {
namespace {

nlohmann::json shown(const std::string& yaml) {
    return nlohmann::json::parse(effective_config(config_of(yaml)));
}

TEST(EffectiveConfig, shows_values_of_the_file_and_defaults) {
    const nlohmann::json config = shown(
        "threads: 2\n"
        "admin: {listen: ['127.0.0.1:1', 'unix:/a']}\n"
        "defaults: {timeout: 2s}\n"
        "endpoints: [{name: a, url: 'http://a/hook', success: [200-299, 304],\n"
        "             match: [{field: /a, op: in, value: [x]}]}]\n");

    EXPECT_EQ(config["threads"], 2);
    EXPECT_EQ(config["admin"]["listen"], nlohmann::json({"127.0.0.1:1", "unix:/a"}));
    EXPECT_EQ(config["queue"]["max_bytes"], "256MiB");
    EXPECT_EQ(config["log"]["level"], "info");
    const nlohmann::json& endpoint = config["endpoints"][0];
    EXPECT_EQ(endpoint["name"], "a");
    EXPECT_EQ(endpoint["url"], "http://a/hook");
    EXPECT_EQ(endpoint["timeout"], "2s");
    EXPECT_EQ(endpoint["disabled"], false);
    EXPECT_EQ(endpoint["success"], nlohmann::json({"200-299", "304"}));
    EXPECT_EQ(endpoint["match"][0]["field"], "/a");
    EXPECT_EQ(endpoint["tls"]["min_version"], "1.2");
    EXPECT_FALSE(config.contains("defaults"));
}

TEST(EffectiveConfig, shows_no_secret) {
    const std::string config = effective_config(
        config_of("endpoints: [{name: a, url: 'http://canary:canary@a/hook?canary=canary',\n"
                  "             headers: {Authorization: Bearer canary}}]\n"));

    EXPECT_EQ(config.find("canary"), std::string::npos) << config;
    EXPECT_NE(config.find(R"("Authorization":"<redacted>")"), std::string::npos);
    EXPECT_NE(config.find(R"("url":"http://a/hook")"), std::string::npos);
}

/// A key that names secrets in its own form must be shown on purpose.
TEST(EffectiveConfig, hides_values_with_a_form_of_their_own_unless_they_say_how) {
    for (const Key& key : make_schema().endpoint) {
        const auto* const special = std::get_if<SpecialKind>(&key.kind);
        if (special == nullptr || special->show) continue;
        const nlohmann::json config = shown("endpoints: [{name: a, url: 'http://a/'}]");

        EXPECT_EQ(config["endpoints"][0][key.name], "<redacted>") << key.name;
    }
}

}  // namespace
}  // namespace fanfare::test
