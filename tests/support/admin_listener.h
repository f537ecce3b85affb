#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "server/admin/admin.h"
#include "support/pipeline.h"
#include "support/running_server.h"
#include "support/tmp_dir.h"

namespace fanfare::test {

class AcceptingSink final : public Sink {
  public:
    awaitable<Outcome> deliver(Attempt /*attempt*/) override { co_return Outcome::delivered(204); }
};

inline std::unique_ptr<Sink> make_accepting_sink(const SinkContext& /*context*/) {
    return std::make_unique<AcceptingSink>();
}

inline std::string get(std::string_view target, std::string_view method = "GET") {
    return std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

inline std::string post(std::string_view target, const std::string& body) {
    return "POST " + std::string(target) +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
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
        if (prepare_) prepare_(sources);
        if (!token.empty()) {
            const std::string file = directory_.path() / "token";
            std::ofstream(file) << token;
            sources.token =
                std::move(*BearerToken::load(file, "admin", loops_.clock(), loops_.log()));
        }
        admin_ = std::make_unique<Admin>(std::move(sources));
        server_ =
            std::make_unique<HttpServer>("admin", loops_.shards(), listener_options(), *admin_);
        ASSERT_TRUE(server_->bind().has_value());
        server_->start();
        add_endpoint();
        loops_.run();
    }

    RawAnswer ask(const std::string& request, bool is_head = false) {
        RawClient client(server_->addresses().front());
        client.send(request);
        return client.read_answer(is_head);
    }

    using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

    /// What the admin listener would say to `peer`; 0 if it lets it pass.
    int status_for(const Peer& peer, std::string_view method, std::string_view target,
                   const Fields& fields = {}) {
        RequestHead head;
        head.method = method;
        head.target = target;
        for (const auto& [name, value] : fields) head.fields.emplace_back(name, value);
        const std::optional<Response> refused = admin_->refuse(head, peer);
        return refused ? refused->status : 0;
    }

    /// The same for a GET from elsewhere.
    int status_for_stranger(std::string_view target, const Fields& fields = {}) {
        const Peer stranger{.is_local = false, .is_unix = false, .text = "192.0.2.1:1"};
        return status_for(stranger, "GET", target, fields);
    }

    /// What else the admin listener is to tell about; before start().
    std::function<void(AdminSources&)> prepare_;
    SinkMaker make_sink_ = make_accepting_sink;  ///< of the endpoint; before start()
    Loops loops_;
    Broadcaster broadcaster_;
    TargetHandler handler_;
    HttpServer ingest_{"ingest", loops_.shards(), {}, handler_};
    TmpDir directory_;
    std::unique_ptr<Admin> admin_;
    std::unique_ptr<HttpServer> server_;

  private:
    static ListenerOptions listener_options() {
        ListenerOptions options = RunningServer::options_on({"127.0.0.1:0"});
        options.post_needs_length = false;
        return options;
    }

    void add_endpoint() {
        EndpointOptions options;
        options.name = "audit";
        options.make_sink = make_sink_;
        options.retry.gone_disables = true;
        broadcaster_.add(std::make_shared<Endpoint>(*loops_.shards()[1], std::move(options)));
    }
};

}  // namespace fanfare::test
