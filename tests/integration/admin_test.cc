// The routes of the admin listener and who may use them, over loopback.
#include "server/admin/admin.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <nlohmann/json.hpp>

#include "support/pipeline.h"
#include "support/running_server.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

class AcceptingSink final : public Sink {
  public:
    awaitable<Outcome> deliver(Attempt /*attempt*/) override { co_return Outcome::delivered(204); }
};

std::unique_ptr<Sink> make_accepting_sink(const SinkContext& /*context*/) {
    return std::make_unique<AcceptingSink>();
}

std::string get(std::string_view target, std::string_view method = "GET") {
    return std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

/// Two shards, one endpoint that takes everything, and an admin listener.
class AdminListener : public testing::Test {
  protected:
    AdminListener() : loops_(2), broadcaster_(loops_.shards()), handler_(loops_.clock()) {}
    ~AdminListener() override {
        if (server_) loops_.start(server_->stop(std::chrono::seconds(5))).wait();
        loops_.start(broadcaster_.drain(loops_.clock().now())).wait();
        loops_.join();
    }

    void start(const std::string& token = {}) {
        AdminSources sources{.shards = loops_.shards(),
                             .broadcaster = broadcaster_,
                             .ingest = ingest_,
                             .endpoints = {},
                             .build = {"1.2.3", "abc", "GNU"},
                             .command_line = {"fanfare", "serve"},
                             .registry_metrics = false,
                             .token = nullptr};
        EndpointInfo info;
        info.name = "audit";
        sources.endpoints.push_back(info);
        if (!token.empty()) {
            const std::string file = directory_.path() / "token";
            std::ofstream(file) << token;
            sources.token =
                std::move(*BearerToken::load(file, "admin", loops_.clock(), loops_.log()));
        }
        admin_ = std::make_unique<Admin>(std::move(sources));
        server_ = std::make_unique<HttpServer>(
            "admin", loops_.shards(), test::RunningServer::options_on({"127.0.0.1:0"}), *admin_);
        ASSERT_TRUE(server_->bind().has_value());
        server_->start();
        add_endpoint();
        loops_.run();
    }

    test::RawAnswer ask(const std::string& request, bool is_head = false) {
        test::RawClient client(server_->addresses().front());
        client.send(request);
        return client.read_answer(is_head);
    }

    /// What the admin listener would say to a peer from elsewhere; 0 if it lets it pass.
    int status_for_stranger(std::string_view target,
                            std::optional<std::string_view> authorization = std::nullopt) {
        const Peer stranger{false, "192.0.2.1:1"};
        RequestHead head;
        head.method = "GET";
        head.target = target;
        if (authorization) head.fields.emplace_back("Authorization", *authorization);
        const std::optional<Response> refused = admin_->refuse(head, stranger);
        return refused ? refused->status : 0;
    }

    test::Loops loops_;
    Broadcaster broadcaster_;
    test::TargetHandler handler_;
    HttpServer ingest_{"ingest", loops_.shards(), {}, handler_};
    test::TmpDir directory_;
    std::unique_ptr<Admin> admin_;
    std::unique_ptr<HttpServer> server_;

  private:
    void add_endpoint() {
        EndpointOptions options;
        options.name = "audit";
        options.make_sink = make_accepting_sink;
        broadcaster_.add(std::make_shared<Endpoint>(*loops_.shards()[1], std::move(options)));
    }
};

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

    const auto list = nlohmann::json::parse(ask(get("/v1/endpoints?limit=5")).body);
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
    EXPECT_EQ(ask(get("http://a")).status, 404);
}

TEST_F(AdminListener, says_what_is_not_there_and_what_is_not_allowed) {
    start();

    for (const char* target :
         {"/", "/metric", "/metrics/", "/v1/endpoints/", "/v1", "/healthz/x"}) {
        EXPECT_EQ(ask(get(target)).status, 404) << target;
    }
    const test::RawAnswer answer = ask(get("/metrics", "DELETE"));
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.field("allow"), "GET, HEAD");
    EXPECT_EQ(answer.field("cache-control"), "no-store");
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

TEST_F(AdminListener, hides_everything_but_health_and_metrics_from_strangers) {
    start();

    for (const char* target : {"/metrics", "/healthz", "/readyz"}) {
        EXPECT_EQ(status_for_stranger(target), 0) << target;
    }
    for (const char* target : {"/debug/vars", "/v1/endpoints", "/v1/endpoints/audit", "/no/such"}) {
        EXPECT_EQ(status_for_stranger(target), 403) << target;
        EXPECT_EQ(status_for_stranger(target, "Bearer s3cret"), 403) << target;
    }
}

TEST_F(AdminListener, shows_everything_to_strangers_with_the_token) {
    start("s3cret\n");

    EXPECT_EQ(status_for_stranger("/v1/endpoints"), 401);
    EXPECT_EQ(status_for_stranger("/v1/endpoints", "Bearer wrong"), 401);
    EXPECT_EQ(status_for_stranger("/no/such"), 401);
    EXPECT_EQ(status_for_stranger("/v1/endpoints", "Bearer s3cret"), 0);
    EXPECT_EQ(status_for_stranger("/no/such", "Bearer s3cret"), 404);
    EXPECT_EQ(ask(get("/v1/endpoints")).status, 200) << "loopback needs none";
}

}  // namespace
}  // namespace fanfare
