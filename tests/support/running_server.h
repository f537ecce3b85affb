#pragma once

#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/wakeup.h"
#include "server/http_server.h"
#include "support/loops.h"
#include "support/raw_client.h"

namespace fanfare::test {

/// Waits until `condition` holds; false if it does not within `patience`.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds patience = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

/// Answers by the target: what it got, or as the target's name says.
class TargetHandler final : public RequestHandler {
  public:
    static constexpr std::size_t big_bytes = 16 * 1024 * 1024;

    explicit TargetHandler(Clock& clock) : clock_(clock) {}

    std::string_view allowed_methods() const noexcept override { return "GET, POST"; }

    std::optional<Response> refuse(const RequestHead& head, const Peer& /*peer*/) override {
        if (head.target == "/refuse_throw") throw std::runtime_error("refuse");
        if (head.target != "/refused") return std::nullopt;
        return error_response(401, "UNAUTHORIZED", "no");
    }

    fanfare::Reply respond(Request request) override {
        if (request.head.target == "/throw_at_once") throw std::runtime_error("at once");
        if (request.head.target != "/at_once") return answer(std::move(request));
        Response response;
        response.body = "now";
        return response;
    }

    awaitable<Response> answer(Request request) {
        const std::string target(request.head.target);
        if (target == "/throw") throw std::runtime_error("thrown on purpose");
        if (target == "/no_memory") throw std::bad_alloc();
        if (target == "/hold") {
            ++held_;
            while (!is_released_) {
                co_await wait_until(clock_, clock_.now() + std::chrono::milliseconds(1));
            }
        }
        Response response;
        response.content_type = "text/plain";
        response.body = std::string(request.head.method) + ' ' + target + ' ' + request.body;
        if (target == "/big") response.body.assign(big_bytes, 'x');
        if (target == "/empty") response.body.clear();
        if (target == "/peer") response.body = request.peer.text;
        if (target == "/local") response.body = request.peer.is_local ? "local" : "far";
        response.close = target == "/close";
        ++answered_;
        co_return response;
    }

    int held() const { return held_; }
    int answered() const { return answered_; }
    void release() { is_released_ = true; }

  private:
    Clock& clock_;
    std::atomic<int> held_{0};
    std::atomic<int> answered_{0};
    std::atomic<bool> is_released_{false};
};

/// An HttpServer on loops of its own, stopped at the end.
class RunningServer {
  public:
    static ListenerOptions options_on(std::vector<std::string> listen) {
        ListenerOptions options;
        options.listen = std::move(listen);
        return options;
    }

    explicit RunningServer(ListenerOptions options = options_on({"127.0.0.1:0"}),
                           std::size_t shards = 1)
        : loops_(shards),
          handler_(loops_.clock()),
          server_("test", loops_.shards(), std::move(options), handler_) {
        const Result<void> bound = server_.bind();
        if (bound.has_error()) throw std::runtime_error(bound.error().message());
        server_.start();
        loops_.run();
    }
    ~RunningServer() {
        handler_.release();
        stop(std::chrono::seconds(5)).wait();
        loops_.join();
    }

    std::future<void> stop(Duration limit) { return loops_.start(server_.stop(limit)); }

    RawClient connect(std::size_t index = 0, int receive_bytes = 0) {
        return RawClient(server_.addresses().at(index), receive_bytes);
    }

    HttpServer& server() { return server_; }
    TargetHandler& handler() { return handler_; }
    Loops& loops() { return loops_; }

    std::uint64_t connections() {
        std::uint64_t sum = 0;
        for (std::size_t shard = 0; shard < loops_.shards().size(); ++shard) {
            sum += metrics(shard).connections();
        }
        return sum;
    }

    std::uint64_t answers(int status) {
        std::uint64_t sum = 0;
        for (std::size_t shard = 0; shard < loops_.shards().size(); ++shard) {
            const IngestMetrics counted = metrics(shard);
            for (const auto& [code, count] : counted.requests().entries()) {
                if (code == status) sum += count;
            }
        }
        return sum;
    }

    IngestMetrics metrics(std::size_t shard) {
        return loops_.on_shard(shard, [this, shard] { return server_.metrics(shard); });
    }

  private:
    Loops loops_;
    TargetHandler handler_;
    HttpServer server_;
};

}  // namespace fanfare::test
