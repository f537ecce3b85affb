// The routes of the admin listener and who may use them, over loopback.
#include "server/admin/admin.h"

#include <gtest/gtest.h>

#include <latch>
#include <nlohmann/json.hpp>

#include "base/wakeup.h"
#include "support/admin_listener.h"

namespace fanfare {
namespace {

using test::AdminListener;
using test::get;
using test::post;

class GoneSink final : public Sink {
  public:
    awaitable<Outcome> deliver(Attempt /*attempt*/) override { co_return Outcome::refused(410); }
};

std::unique_ptr<Sink> make_gone_sink(const SinkContext& /*context*/) {
    return std::make_unique<GoneSink>();
}

class HangingSink final : public Sink {
  public:
    explicit HangingSink(Clock& clock) : clock_(clock) {}

    awaitable<Outcome> deliver(Attempt /*attempt*/) override {
        co_await wait_until(clock_, TimePoint::max());
        co_return Outcome::delivered();
    }

  private:
    Clock& clock_;
};

std::unique_ptr<Sink> make_hanging_sink(const SinkContext& context) {
    return std::make_unique<HangingSink>(context.clock);
}

TEST_F(AdminListener, ends_a_test_in_time_whatever_the_endpoint_s_timeout) {
    make_sink_ = make_hanging_sink;
    prepare_ = [](AdminSources& sources) { sources.test_limit = std::chrono::milliseconds(20); };
    start();

    const test::RawAnswer answer = ask(post("/v1/endpoints/audit/test", ""));

    ASSERT_EQ(answer.status, 200);
    const auto result = nlohmann::json::parse(answer.body);
    EXPECT_EQ(result["delivered"], false);
    EXPECT_TRUE(result["status"].is_null());
    EXPECT_EQ(result["error"], "timeout");
    EXPECT_NE(result["message"].get<std::string>().find("a test waits no longer"),
              std::string::npos);
    EXPECT_GE(result["duration_seconds"], 0.02);
}

TEST_F(AdminListener, shows_metrics_of_what_has_happened) {
    start();
    const std::vector<std::shared_ptr<Event>> events{test::make_event("e1")};
    ASSERT_TRUE(broadcaster_.write(events).has_value());

    const std::string delivered = R"(fanfare_endpoint_successes_total{endpoint="audit"} 1)";
    const bool is_shown = test::eventually([&] {
        return ask(get("/metrics")).body.find('\n' + delivered + '\n') != std::string::npos;
    });

    EXPECT_TRUE(is_shown);
    const test::RawAnswer answer = ask(get("/metrics"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(answer.field("cache-control"), "no-store");
    EXPECT_NE(answer.body.find("\nfanfare_ingest_events_total 1\n"), std::string::npos);
    EXPECT_NE(answer.body.find("fanfare_build_info{version=\"1.2.3\""), std::string::npos);
}

TEST_F(AdminListener, answers_head_without_a_body) {
    start();

    const test::RawAnswer answer = ask(get("/metrics", "HEAD"), true);

    EXPECT_EQ(answer.status, 200);
    EXPECT_GT(std::stoul(answer.field("content-length")), 1000U);
    EXPECT_TRUE(answer.body.empty());
}

TEST_F(AdminListener, lists_endpoints_and_shows_one) {
    start();

    const auto list = nlohmann::json::parse(ask(get("/v1/endpoints")).body);
    const auto one = nlohmann::json::parse(ask(get("/v1/endpoints/audit")).body);
    const test::RawAnswer unknown = ask(get("/v1/endpoints/nobody"));

    EXPECT_EQ(list["endpoints"][0]["name"], "audit");
    EXPECT_TRUE(list["next"].is_null());
    EXPECT_EQ(one["state"], "up");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(nlohmann::json::parse(unknown.body)["errors"][0]["code"], "NAME_UNKNOWN");
}

TEST_F(AdminListener, shows_the_registry_s_debug_vars) {
    start();

    const test::RawAnswer answer = ask(get("/debug/vars"));

    EXPECT_EQ(answer.field("content-type"), "application/json");
    const auto root = nlohmann::json::parse(answer.body);
    EXPECT_EQ(root["cmdline"], nlohmann::json({"fanfare", "serve"}));
    EXPECT_EQ(root["registry"]["notifications"]["endpoints"][0]["name"], "audit");
}

TEST_F(AdminListener, takes_a_target_in_absolute_form) {
    start();

    EXPECT_EQ(ask(get("http://a:1/healthz?x=/y")).status, 200);
    EXPECT_EQ(ask(get("http://localhost")).body.find("<!doctype html>"), 0U);
}

TEST_F(AdminListener, says_what_is_not_there_and_what_is_not_allowed) {
    start();

    for (const char* target :
         {"//", "/metric", "/metrics/", "/v1/endpoints/", "/v1", "/healthz/x"}) {
        EXPECT_EQ(ask(get(target)).status, 404) << target;
    }
    const test::RawAnswer answer = ask(get("/metrics", "DELETE"));
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.field("allow"), "GET, HEAD");
    EXPECT_EQ(answer.field("cache-control"), "no-store");
}

TEST_F(AdminListener, refuses_parameters_that_a_route_does_not_know) {
    start();

    const test::RawAnswer answer = ask(get("/v1/endpoints?limit=5"));

    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(nlohmann::json::parse(answer.body)["errors"][0]["message"],
              "limit: unknown parameter; there are none here");
    EXPECT_EQ(ask(get("/healthz?probe=1")).status, 200);
}

TEST_F(AdminListener, says_which_methods_a_route_has) {
    start();

    const test::RawAnswer answer = ask(get("/v1/match"));

    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.field("allow"), "POST");
    EXPECT_EQ(ask(get("/v1/dead-letters/1", "POST")).field("allow"), "GET, HEAD, DELETE");
    EXPECT_EQ(ask(get("/v1/dead-letters/replay")).field("allow"), "POST");
}

TEST_F(AdminListener, tells_which_endpoints_would_take_an_event) {
    prepare_ = [](AdminSources& sources) {
        EndpointInfo picky;
        picky.name = "picky";
        picky.ignored_actions = {"pull"};
        sources.endpoints.push_back(picky);
    };
    start();

    const test::RawAnswer answer = ask(post("/v1/match", R"({"id":"e1","action":"pull"})"));

    ASSERT_EQ(answer.status, 200);
    const auto match = nlohmann::json::parse(answer.body)["matches"][0];
    EXPECT_EQ(match["event_id"], "e1");
    EXPECT_EQ(match["endpoints"][0]["takes"], true);
    EXPECT_EQ(match["endpoints"][1]["takes"], false);
    EXPECT_EQ(match["endpoints"][1]["why_not"][0], "ignore.actions lists \"pull\"");
}

TEST_F(AdminListener, says_that_an_endpoint_takes_nothing_whose_receiver_is_gone) {
    make_sink_ = make_gone_sink;
    start();
    const std::vector<std::shared_ptr<Event>> events{test::make_event("e1")};
    ASSERT_TRUE(broadcaster_.write(events).has_value());
    ASSERT_TRUE(test::eventually([&] {
        return nlohmann::json::parse(ask(get("/v1/endpoints/audit")).body)["state"] == "gone";
    }));

    const test::RawAnswer answer = ask(post("/v1/match", R"({"id":"e2","action":"pull"})"));

    const auto judged = nlohmann::json::parse(answer.body)["matches"][0]["endpoints"][0];
    EXPECT_EQ(judged["takes"], false);
    EXPECT_EQ(judged["why_not"][0], "the receiver is gone (410): the endpoint waits for a resume");
}

TEST_F(AdminListener, refuses_a_body_where_nothing_reads_one) {
    start();

    for (const char* target : {"/v1/endpoints/audit/purge", "/v1/dead-letters/replay"}) {
        const test::RawAnswer answer = ask(post(target, R"({"endpoint":"audit"})"));

        EXPECT_EQ(answer.status, 400) << target;
        EXPECT_EQ(nlohmann::json::parse(answer.body)["errors"][0]["code"], "BODY_UNEXPECTED");
    }
    EXPECT_EQ(ask(post("/v1/endpoints/audit/pause", "")).status, 200);
}

TEST_F(AdminListener, says_what_is_wrong_with_an_event_to_match) {
    start();

    const test::RawAnswer answer = ask(post("/v1/match", "{"));

    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(nlohmann::json::parse(answer.body)["errors"][0]["code"], "BODY_INVALID");
}

TEST_F(AdminListener, shows_the_configuration_it_is_given) {
    prepare_ = [](AdminSources& sources) { sources.config = "{\"threads\":1}\n"; };
    start();

    EXPECT_EQ(ask(get("/v1/config")).body, "{\"threads\":1}\n");
}

TEST_F(AdminListener, says_that_dead_letters_are_not_kept) {
    start();

    for (const char* request : {"GET /v1/dead-letters", "GET /v1/dead-letters/1",
                                "DELETE /v1/dead-letters", "POST /v1/dead-letters/replay"}) {
        const test::RawAnswer answer =
            ask(std::string(request) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");

        EXPECT_EQ(answer.status, 404) << request;
        EXPECT_EQ(nlohmann::json::parse(answer.body)["errors"][0]["code"], "DEAD_LETTERS_DISABLED");
    }
}

TEST_F(AdminListener, is_ready_only_between_start_and_stop) {
    start();
    const auto ready = [this] { return ask(get("/readyz")); };

    EXPECT_EQ(ready().status, 503);
    EXPECT_NE(ready().body.find("starting"), std::string::npos);
    admin_->set_readiness(Readiness::ready);
    EXPECT_EQ(ready().status, 200);
    admin_->set_readiness(Readiness::draining);
    EXPECT_EQ(ready().status, 503);
    EXPECT_NE(ready().body.find("draining"), std::string::npos);
}

TEST_F(AdminListener, is_healthy_while_every_loop_turns) {
    start();

    EXPECT_EQ(ask(get("/healthz")).status, 200);
}

TEST_F(AdminListener, is_not_healthy_while_a_loop_is_stuck) {
    start();
    std::latch release(1);
    net::post(loops_.shards()[1]->executor(), [&release] { release.wait(); });

    // The first connection belongs to the first shard, which is not the stuck one.
    test::RawClient client(server_->addresses().front());
    client.send(get("/healthz"));
    const int stuck = client.read_answer().status;
    release.count_down();
    client.send(get("/healthz"));
    const int freed = client.read_answer().status;

    EXPECT_EQ(stuck, 503);
    EXPECT_EQ(freed, 200);
}

}  // namespace
}  // namespace fanfare
