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

TEST(EffectiveConfig, shows_what_may_wait_for_an_endpoint) {
    const nlohmann::json endpoints = shown(
        "queue: {max_bytes: 1GiB}\n"
        "endpoints: [{name: a, url: 'http://a/'},\n"
        "            {name: b, url: 'http://b/', queue: {max_bytes: 0, overflow: "
        "reject}}]\n")["endpoints"];

    EXPECT_EQ(endpoints[0]["queue"]["max_events"], 0);
    EXPECT_EQ(endpoints[0]["queue"]["max_bytes"], "512MiB");
    EXPECT_EQ(endpoints[0]["queue"]["overflow"], "drop_oldest");
    EXPECT_EQ(endpoints[1]["queue"]["max_bytes"], "0");
    EXPECT_EQ(endpoints[1]["queue"]["overflow"], "reject");
}

TEST(EffectiveConfig, shows_no_secret) {
    const std::string config = effective_config(
        config_of("endpoints: [{name: a, url: 'http://canary:canary@a/hook?canary=canary',\n"
                  "             headers: {Authorization: Bearer canary}}]\n"));

    EXPECT_EQ(config.find("canary"), std::string::npos) << config;
    EXPECT_NE(config.find(R"("Authorization":"<redacted>")"), std::string::npos);
    EXPECT_NE(config.find(R"("url":"http://a/hook")"), std::string::npos);
}

/// Adds the names of keys with a form of their own that are not shown, all of which must be hidden.
void find_hidden(const std::vector<Key>& keys, const nlohmann::json& shown,
                 std::vector<std::string>& hidden) {
    for (const Key& key : keys) {
        if (const auto* const mapping = std::get_if<MappingKind>(&key.kind)) {
            find_hidden(mapping->keys, shown[key.name], hidden);
        }
        const auto* const special = std::get_if<SpecialKind>(&key.kind);
        if (special == nullptr || special->show) continue;
        EXPECT_EQ(shown[key.name], "<redacted>") << key.name;
        hidden.push_back(key.name);
    }
}

/// A key that names secrets in its own form must be shown on purpose.
TEST(EffectiveConfig, hides_values_with_a_form_of_their_own_unless_they_say_how) {
    const nlohmann::json config = shown(
        "endpoints: [{name: a, url: 'http://a/', signing: {secrets: "
        "['whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz']}}]");

    std::vector<std::string> hidden;
    find_hidden(make_schema().endpoint, config["endpoints"][0], hidden);

    EXPECT_EQ(hidden, std::vector<std::string>{"secrets"});
}

TEST(EffectiveConfig, says_of_what_is_not_set_that_it_is_not) {
    const nlohmann::json config = shown("endpoints: [{name: a, url: 'http://a/'}]");

    const nlohmann::json& endpoint = config["endpoints"][0];
    for (const char* key : {"auth", "signing", "template", "proxy", "order_by"}) {
        EXPECT_TRUE(endpoint.at(key).is_null()) << key << ": " << endpoint[key];
    }
    EXPECT_TRUE(config["dead_letters"].at("dir").is_null());
}

TEST(EffectiveConfig, says_how_requests_are_authorized) {
    const auto type = [](const std::string& auth) {
        return shown("endpoints: [{name: a, url: 'http://a/', auth: {" + auth +
                     "}}]")["endpoints"][0]["auth"]["type"];
    };

    EXPECT_EQ(type("type: bearer, token_file: /t"), "bearer");
    EXPECT_EQ(type("type: basic, username: u, password_file: /p"), "basic");
    EXPECT_EQ(type("type: oauth2, token_url: 'http://a/', client_id: c, client_secret_file: /s"),
              "oauth2");
}

TEST(EffectiveConfig, hides_a_template_that_there_is) {
    const nlohmann::json config =
        shown("endpoints: [{name: a, url: 'http://a/', format: template, template: {a: b}}]");

    EXPECT_EQ(config["endpoints"][0]["template"], "<redacted>");
}

/// Chat services hand out URLs whose path is the secret.
TEST(EffectiveConfig, shows_of_a_url_from_a_variable_only_where_it_leads) {
    const Environment variables =
        environment({{"HOOK", "https://hooks.example.com/services/canary"}, {"KEY", "canary"}});
    const std::string text =
        effective_config(config_of("endpoints: [{name: a, url: '${HOOK}'},\n"
                                   "            {name: b, url: 'https://b:8443/x/${KEY}'}]\n",
                                   variables));

    EXPECT_EQ(text.find("canary"), std::string::npos) << text;
    const nlohmann::json config = nlohmann::json::parse(text);
    EXPECT_EQ(config["endpoints"][0]["url"], "https://hooks.example.com/…");
    EXPECT_EQ(config["endpoints"][1]["url"], "https://b:8443/…");
}

}  // namespace
}  // namespace fanfare::test
