// The daemon as a whole, inside the test's process.
#include "app.h"

#include <gtest/gtest.h>

#include "support/imposter.h"
#include "support/running_app.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::RunningApp;

EndpointConfig endpoint_at(const std::string& name, const std::string& url) {
    EndpointConfig endpoint;
    endpoint.name = name;
    endpoint.http.url = url;
    endpoint.http.timeout = 10s;
    return endpoint;
}

Config config_with(std::vector<EndpointConfig> endpoints) {
    Config config;
    config.ingest.listener.listen = {"127.0.0.1:0"};
    config.admin.listener.listen = {"127.0.0.1:0"};
    config.threads = 2;
    config.shutdown_drain = 5s;
    config.endpoints = std::move(endpoints);
    return config;
}

TEST(App, delivers_what_is_posted_to_every_endpoint_that_wants_it) {
    test::Imposter first;
    test::Imposter second;
    Config config =
        config_with({endpoint_at("first", first.url()), endpoint_at("second", second.url()),
                     endpoint_at("off", "http://127.0.0.1:1/")});
    config.endpoints[1].ignored_actions = {"pull"};
    config.endpoints[2].disabled = true;
    RunningApp app(std::move(config));
    ASSERT_TRUE(test::eventually([&] { return app.is_ready(); }));

    EXPECT_EQ(app.post(R"({"id":"e1","action":"pull"})"), 202);
    EXPECT_EQ(app.post(R"({"id":"e2","action":"push"})"), 202);

    ASSERT_TRUE(first.wait_for_requests(2));
    ASSERT_TRUE(second.wait_for_requests(1));
    EXPECT_EQ(first.requests()[0].body, R"({"events":[{"id":"e1","action":"pull"}]})");
    EXPECT_EQ(second.requests()[0].body, R"({"events":[{"id":"e2","action":"push"}]})");
    EXPECT_TRUE(test::eventually([&] {
        return app.shows(R"(fanfare_endpoint_successes_total{endpoint="first"} 2)") &&
               app.shows(R"(fanfare_endpoint_successes_total{endpoint="second"} 1)");
    }));
    EXPECT_TRUE(app.shows(R"(fanfare_endpoint_ignored_events_total{endpoint="second"} 1)"));
    EXPECT_EQ(app.get("/metrics").body.find("endpoint=\"off\""), std::string::npos);
    EXPECT_NE(app.get("/v1/endpoints").body.find("\"disabled\""), std::string::npos);
}

// Acceptance 29.
TEST(App, delivers_what_is_queued_before_it_ends) {
    test::Imposter receiver;
    RunningApp app(config_with({endpoint_at("healthy", receiver.url())}));
    for (int i = 0; i < 20; ++i) ASSERT_EQ(app.post(R"({"action":"push"})"), 202);

    app.stop();

    EXPECT_EQ(receiver.requests().size(), 20U);
    EXPECT_FALSE(app.has_logged("reason=shutdown"));
    EXPECT_TRUE(app.has_logged("stopped"));
}

// Acceptance 30.
TEST(App, counts_what_a_dead_endpoint_has_left_when_the_drain_time_is_over) {
    Config config = config_with({endpoint_at("dead", "http://127.0.0.1:1/")});
    config.shutdown_drain = 200ms;
    RunningApp app(std::move(config));
    for (int i = 0; i < 5; ++i) ASSERT_EQ(app.post(R"({"action":"push"})"), 202);
    const auto begun = std::chrono::steady_clock::now();

    app.stop();

    EXPECT_GE(std::chrono::steady_clock::now() - begun, 200ms);
    EXPECT_TRUE(app.has_logged("endpoint=dead reason=shutdown events=5"));
}

TEST(App, can_be_stopped_twice_and_before_it_runs) {
    std::vector<std::string> lines;
    Log log(LogOptions{}, [&lines](std::string_view line) { lines.emplace_back(line); });
    App app(config_with({}), log, Identity{});
    ASSERT_TRUE(app.start().has_value());

    app.stop();
    app.stop();
    app.run();

    EXPECT_NE(lines.back().find("stopped"), std::string::npos);
}

TEST(App, ends_cleanly_when_it_is_never_run) {
    Log log(LogOptions{}, [](std::string_view) {});
    App app(config_with({}), log, Identity{});

    EXPECT_TRUE(app.start().has_value());
}

TEST(App, says_which_address_is_in_use) {
    RunningApp first(config_with({}));
    Log log(LogOptions{}, [](std::string_view) {});
    for (const bool is_admin : {false, true}) {
        Config config = config_with({});
        const std::string taken = first.app().ingest_addresses().front();
        (is_admin ? config.admin.listener : config.ingest.listener).listen = {taken};
        App second(std::move(config), log, Identity{});

        const Result<void> started = second.start();

        ASSERT_TRUE(started.has_error());
        EXPECT_NE(started.error().message().find(taken), std::string::npos);
    }
}

TEST(App, says_which_endpoint_cannot_be_made) {
    Log log(LogOptions{}, [](std::string_view) {});
    Config config = config_with({endpoint_at("audit", "https://127.0.0.1:1/")});
    config.endpoints[0].http.tls.ca_file = "/nonexistent/ca.pem";
    App app(std::move(config), log, Identity{});

    const Result<void> started = app.start();

    ASSERT_TRUE(started.has_error());
    EXPECT_NE(started.error().message().find("endpoint audit: "), std::string::npos);
}

TEST(App, refuses_to_start_without_its_bearer_token) {
    Log log(LogOptions{}, [](std::string_view) {});
    Config config = config_with({});
    config.admin.bearer_token_file = "/nonexistent/token";
    App app(std::move(config), log, Identity{});

    EXPECT_TRUE(app.start().has_error());
}

TEST(App, warns_when_certificates_are_not_verified) {
    Config config = config_with({endpoint_at("lax", "https://127.0.0.1:1/")});
    config.endpoints[0].http.tls.insecure_skip_verify = true;

    RunningApp app(std::move(config));

    EXPECT_TRUE(app.has_logged("certificates of an endpoint are not verified endpoint=lax"));
}

}  // namespace
}  // namespace fanfare
