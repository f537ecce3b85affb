#include "server/admin/endpoints.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace fanfare {
namespace {

EndpointInfo audit() {
    EndpointInfo info;
    info.name = "audit";
    info.url = "https://audit.example.com/hook";
    info.header_names = {"Authorization"};
    info.timeout = std::chrono::milliseconds(1500);
    info.success = {StatusRange{200, 299}, StatusRange{304, 304}};
    info.retry.threshold = 10;
    info.retry.backoff = std::chrono::seconds(1);
    info.ignored_actions = {"pull"};
    MatchRule rule;
    rule.field = "/target/repository";
    rule.op = MatchRule::Op::prefix;
    rule.values = {"library/"};
    info.match = {rule};
    info.proxy = "http://proxy.example.com:3128/";
    info.no_proxy = {".internal"};
    info.idle_timeout = std::chrono::seconds(60);
    return info;
}

Snapshot snapshot_with(const std::string& name) {
    Snapshot snapshot;
    snapshot.endpoints.emplace_back().name = name;
    return snapshot;
}

nlohmann::json only_entry(const Snapshot& snapshot) {
    const std::vector<EndpointInfo> infos{audit()};
    return nlohmann::json::parse(endpoint_list(infos, snapshot))["endpoints"][0];
}

TEST(Endpoints, are_a_list_with_next) {
    const auto list = nlohmann::json::parse(endpoint_list({}, {}));

    EXPECT_EQ(list, nlohmann::json::parse(R"({"endpoints":[],"next":null})"));
}

TEST(Endpoints, tell_whether_a_shared_queue_can_be_reached) {
    EXPECT_EQ(nlohmann::json::parse(endpoint_list({}, {}, false)).at("queue_connected"), false);
    EXPECT_EQ(nlohmann::json::parse(endpoint_list({}, {}, true)).at("queue_connected"), true);
}

TEST(Endpoints, show_settings_without_secrets) {
    const auto settings = only_entry(snapshot_with("audit"))["settings"];

    EXPECT_EQ(settings["url"], "https://audit.example.com/hook");
    EXPECT_EQ(settings["headers"], nlohmann::json({{"Authorization", "<redacted>"}}));
    EXPECT_EQ(settings["format"], "envelope");
    EXPECT_EQ(settings["timeout_seconds"], 1.5);
    EXPECT_EQ(settings["success"], nlohmann::json({"200-299", "304"}));
    EXPECT_EQ(settings["retry"]["threshold"], 10);
    EXPECT_EQ(settings["proxy"], "http://proxy.example.com:3128/");
    EXPECT_EQ(settings["no_proxy"], nlohmann::json({".internal"}));
    EXPECT_EQ(settings["idle_timeout_seconds"], 60);
    EXPECT_EQ(settings["ignore"]["actions"], nlohmann::json({"pull"}));
    EXPECT_EQ(settings["match"],
              nlohmann::json::parse(
                  R"([{"field":"/target/repository","op":"prefix","value":["library/"]}])"));
}

TEST(Endpoints, show_alternatives_of_a_rule) {
    std::vector<EndpointInfo> infos{audit()};
    MatchRule either;
    either.any = {infos[0].match, infos[0].match};
    infos[0].match = {either};

    const auto list = nlohmann::json::parse(endpoint_list(infos, {}));

    const auto match = list["endpoints"][0]["settings"]["match"];
    ASSERT_EQ(match.size(), 1U);
    ASSERT_EQ(match[0]["any"].size(), 2U);
    EXPECT_EQ(match[0]["any"][1][0]["op"], "prefix");
}

TEST(Endpoints, show_what_is_pending_and_how_fast_it_goes) {
    Snapshot snapshot = snapshot_with("audit");
    EndpointSnapshot& endpoint = snapshot.endpoints.front();
    endpoint.pending_events = 5;
    endpoint.in_flight_requests = 1;
    endpoint.oldest_pending = std::chrono::milliseconds(2500);
    endpoint.delivered_per_second = 12.5;
    endpoint.metrics.queued(9);
    endpoint.metrics.attempted(Outcome::retry(Reason::dns), 1, {});
    endpoint.metrics.attempted(Outcome::delivered(200), 2, {});

    const auto entry = only_entry(snapshot);

    EXPECT_EQ(entry["pending"], 5);
    EXPECT_EQ(entry["in_flight"], 1);
    EXPECT_EQ(entry["oldest_pending_seconds"], 2.5);
    EXPECT_EQ(entry["rate"], 12.5);
    EXPECT_EQ(entry["counters"]["events"], 9);
    EXPECT_EQ(entry["counters"]["errors"]["dns"], 1);
    EXPECT_EQ(entry["counters"]["errors"]["tls"], 0);
    EXPECT_EQ(entry["counters"]["responses"]["200"], 1);
    EXPECT_EQ(entry["counters"]["dropped"]["shutdown"], 0);
    EXPECT_EQ(entry["counters"]["dead_letters"]["max_age"], 0);
}

TEST(Endpoints, are_up_down_or_held_by_the_breaker) {
    Snapshot snapshot = snapshot_with("audit");
    EXPECT_EQ(only_entry(snapshot)["state"], "up");

    snapshot.endpoints[0].is_up = false;
    EXPECT_EQ(only_entry(snapshot)["state"], "down");

    snapshot.endpoints[0].is_breaker_open = true;
    EXPECT_EQ(only_entry(snapshot)["state"], "breaker_open");
}

TEST(Endpoints, are_held_while_another_process_has_found_them_best_left_alone) {
    Snapshot snapshot = snapshot_with("audit");
    snapshot.endpoints[0].hold_left = std::chrono::seconds(12);

    EXPECT_EQ(only_entry(snapshot)["state"], "held");
    EXPECT_EQ(only_entry(snapshot)["held_seconds_left"], 12.0);

    snapshot.endpoints[0].is_up = false;
    EXPECT_EQ(only_entry(snapshot)["state"], "down");
}

TEST(Endpoints, show_a_disabled_one_as_such) {
    std::vector<EndpointInfo> infos{audit()};
    infos.front().is_disabled = true;

    const auto list = nlohmann::json::parse(endpoint_list(infos, {}));

    EXPECT_EQ(list["endpoints"][0]["state"], "disabled");
    EXPECT_EQ(list["endpoints"][0]["pending"], 0);
}

TEST(Endpoints, tell_when_things_last_went_wrong_and_well) {
    Snapshot snapshot = snapshot_with("audit");
    EXPECT_TRUE(only_entry(snapshot)["last_error"].is_null());
    EXPECT_TRUE(only_entry(snapshot)["last_success"].is_null());

    const WallTime time{std::chrono::milliseconds(1'700'000'000'042)};
    snapshot.endpoints[0].last_error = "connect: refused \xff";
    snapshot.endpoints[0].last_error_at = time;
    snapshot.endpoints[0].last_success_at = time;

    const auto entry = only_entry(snapshot);
    EXPECT_EQ(entry["last_error"]["message"], "connect: refused \xef\xbf\xbd");
    EXPECT_EQ(entry["last_error"]["at"], "2023-11-14T22:13:20.042Z");
    EXPECT_EQ(entry["last_success"], "2023-11-14T22:13:20.042Z");
}

TEST(Endpoints, are_found_by_their_exact_name) {
    const std::vector<EndpointInfo> infos{audit()};
    const Snapshot snapshot = snapshot_with("audit");

    const auto found = endpoint_details(infos, snapshot, "audit");

    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(nlohmann::json::parse(*found)["name"], "audit");
    EXPECT_FALSE(endpoint_details(infos, snapshot, "Audit").has_value());
    EXPECT_FALSE(endpoint_details(infos, snapshot, "").has_value());
}

}  // namespace
}  // namespace fanfare
