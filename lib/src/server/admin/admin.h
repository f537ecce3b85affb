#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fanfare/broadcaster.h"
#include "server/admin/endpoint_info.h"
#include "server/admin/exposition.h"
#include "server/bearer_token.h"
#include "server/http_server.h"

namespace fanfare {

enum class Readiness : std::uint8_t { starting, ready, draining };

/// What the admin listener tells about. What is referred to must outlive it.
struct AdminSources {
    std::vector<Shard*> shards;
    Broadcaster& broadcaster;
    const HttpServer& ingest;
    std::vector<EndpointInfo> endpoints;
    BuildInfo build;
    std::vector<std::string> command_line;  ///< shown as it is: no secret belongs there
    bool registry_metrics = false;
    std::unique_ptr<BearerToken> token;  ///< null: none is configured
};

/// The routes of the admin listener (SPEC 15). `/metrics`, `/healthz` and `/readyz` are open to
/// all; the rest is for loopback and unix-socket peers, or for the bearer token.
class Admin final : public RequestHandler {
  public:
    /// An event loop that does not answer within this time is taken for stuck.
    static constexpr Duration ping_limit = std::chrono::seconds(1);

    explicit Admin(AdminSources sources) : sources_(std::move(sources)) {}

    /// What `/readyz` says from now on; any thread.
    void set_readiness(Readiness readiness) noexcept { readiness_ = readiness; }

    std::string_view allowed_methods() const noexcept override;
    std::optional<Response> refuse(const RequestHead& head, const Peer& peer) override;
    Reply respond(Request request) override;

  private:
    struct Route;
    using Making = std::function<std::string()>;
    static const Route* find_route(std::string_view path);

    std::optional<Response> deny(const RequestHead& head, const Peer& peer);
    awaitable<Response> serve(const Route& route, std::string argument);
    awaitable<std::string> compose(Making make);
    awaitable<Response> metrics(std::string argument);
    awaitable<Response> healthz(std::string argument);
    awaitable<Response> readyz(std::string argument);
    awaitable<Response> show_debug_vars(std::string argument);
    awaitable<Response> list_endpoints(std::string argument);
    awaitable<Response> show_endpoint(std::string argument);

    AdminSources sources_;
    std::atomic<Readiness> readiness_{Readiness::starting};
    net::thread_pool composer_{1};
};

}  // namespace fanfare
