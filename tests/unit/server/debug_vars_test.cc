#include "server/admin/debug_vars.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace fanfare {
namespace {

EndpointInfo flaky() {
    EndpointInfo info;
    info.name = "flaky";
    info.url = "http://127.0.0.1:9000/hook";
    info.timeout = std::chrono::milliseconds(500);
    info.retry.threshold = 3;
    info.retry.backoff = std::chrono::milliseconds(700);
    return info;
}

Snapshot snapshot_of(const std::string& name) {
    Snapshot snapshot;
    snapshot.endpoints.emplace_back().name = name;
    return snapshot;
}

nlohmann::json endpoints_of(const std::string& text) {
    return nlohmann::json::parse(text)["registry"]["notifications"]["endpoints"];
}

TEST(DebugVars, says_null_when_there_are_no_endpoints) {
    const auto root = nlohmann::json::parse(debug_vars({}, {}, {}));

    ASSERT_TRUE(root["registry"]["notifications"].contains("endpoints"));
    EXPECT_TRUE(root["registry"]["notifications"]["endpoints"].is_null());
}

TEST(DebugVars, shows_an_endpoint_as_the_registry_does) {
    const std::vector<EndpointInfo> infos{flaky()};
    Snapshot snapshot = snapshot_of("flaky");
    EndpointMetrics& metrics = snapshot.endpoints.front().metrics;
    metrics.queued(1);
    unsigned number = 0;
    for (const int status : {400, 404, 410, 429, 500, 503}) {
        metrics.attempted(Outcome::refused(status), ++number, {});
    }
    metrics.attempted(Outcome::delivered(200), ++number, {});
    metrics.delivered({});

    const auto endpoints = endpoints_of(debug_vars({}, infos, snapshot));

    EXPECT_EQ(endpoints, nlohmann::json::parse(R"([{
        "name":"flaky","url":"http://127.0.0.1:9000/hook","Headers":null,
        "Timeout":500000000,"Threshold":3,"Backoff":700000000,
        "IgnoredMediaTypes":null,"Ignore":{"MediaTypes":null,"Actions":null},
        "Metrics":{"Pending":0,"Events":1,"Successes":1,"Failures":6,"Errors":0,
                   "Statuses":{"200 OK":1,"400 Bad Request":1,"404 Not Found":1,"410 Gone":1,
                               "429 Too Many Requests":1,"500 Internal Server Error":1,
                               "503 Service Unavailable":1}}}])"));
}

TEST(DebugVars, shows_no_header_value) {
    std::vector<EndpointInfo> infos{flaky()};
    infos.front().header_names = {"Authorization", "X-Team", "X-Team"};

    const auto endpoints = endpoints_of(debug_vars({}, infos, snapshot_of("flaky")));

    EXPECT_EQ(endpoints[0]["Headers"], nlohmann::json::parse(R"({"Authorization":["<redacted>"],
                                        "X-Team":["<redacted>","<redacted>"]})"));
}

TEST(DebugVars, leaves_a_disabled_endpoint_out) {
    std::vector<EndpointInfo> infos{flaky()};
    infos.front().is_disabled = true;

    EXPECT_TRUE(endpoints_of(debug_vars({}, infos, {})).is_null());
}

TEST(DebugVars, survives_a_command_line_that_is_not_utf8) {
    const std::vector<std::string> command_line{"fanfare", "\xff\xfe"};

    const auto root = nlohmann::json::parse(debug_vars(command_line, {}, {}));

    EXPECT_EQ(root["cmdline"][0], "fanfare");
}

}  // namespace
}  // namespace fanfare
