#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fanfare/broadcaster.h"
#include "fanfare/budget.h"
#include "server/admin/composer.h"
#include "server/admin/config_view.h"
#include "server/admin/exposition.h"
#include "server/admin/fleet_route.h"
#include "server/admin/route.h"
#include "server/admin/status_page.h"
#include "server/bearer_token.h"
#include "server/events/stream_hub.h"
#include "server/http_server.h"

namespace fanfare {

class DeadLetterRoutes;
class EndpointRoutes;
class EventRoutes;
class MatchRoute;

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
    std::unique_ptr<BearerToken> token;   ///< null: none is configured
    Budget* budget = nullptr;             ///< for what is replayed; null: without bound
    DeadLetters* dead_letters = nullptr;  ///< null: they are not kept
    Journal* journal = nullptr;           ///< null: events are not on this machine's disk
    FleetSource fleet = {};
    std::string config = "{}\n";           ///< JSON, without secrets
    std::vector<std::string> listen = {};  ///< `admin.listen`, as it is configured
    /// Somebody waits for a test: it ends then, whatever the timeout of the endpoint.
    Duration test_limit = std::chrono::seconds(30);
    /// Reads the configuration again, and tells what has become of it; empty: there is no such
    /// thing. Any loop.
    std::function<awaitable<Response>()> reload = {};
    std::function<ReloadCounts()> reloads = {};  ///< any thread; empty: there were none
    StreamHub* events = nullptr;  ///< of the listener's only loop; null: there is no history
    ActionGroups action_groups = built_in_action_groups();
};

/// The routes of the admin listener (SPEC 15). `/metrics`, `/healthz` and `/readyz` are open to
/// all; the rest is for loopback and unix-socket peers, or for the bearer token.
class Admin final : public RequestHandler {
  public:
    /// An event loop that does not answer within this time is taken for stuck.
    static constexpr Duration ping_limit = std::chrono::seconds(1);

    explicit Admin(AdminSources sources);
    ~Admin() override;

    /// What `/readyz` says from now on; any thread.
    void set_readiness(Readiness readiness) noexcept { readiness_ = readiness; }

    /// What is shown of the configuration from now on; any thread.
    void show(ShownConfig shown) { view_.set(std::move(shown)); }

    const AdminRoutes& routes() const noexcept { return routes_; }

    std::string_view allowed_methods() const noexcept override;
    std::optional<Response> refuse(const RequestHead& head, const Peer& peer) override;
    Reply respond(Request request) override;

  private:
    using Making = std::function<std::string()>;
    using Handler = awaitable<Response> (Admin::*)(AdminCall call);

    void add_routes();
    std::optional<Response> refusal_of(const RequestHead& head, const Peer& peer);
    void count(std::string_view path, int status);
    std::optional<Response> deny(const RequestHead& head, const Peer& peer);
    awaitable<Response> serve(const AdminRoute& route, AdminCall call);
    awaitable<Response> metrics(AdminCall call);
    awaitable<Response> healthz(AdminCall call);
    awaitable<Response> readyz(AdminCall call);
    awaitable<Response> show_debug_vars(AdminCall call);
    awaitable<Response> show_config(AdminCall call);
    awaitable<Response> list_endpoints(AdminCall call);
    awaitable<Response> show_endpoint(AdminCall call);

    AdminSources sources_;
    ConfigView view_;
    std::atomic<Readiness> readiness_{Readiness::starting};
    std::mutex requests_mutex_;
    RequestCounts requests_;  // guarded by it
    Composer composer_;
    AdminRoutes routes_;
    std::unique_ptr<DeadLetterRoutes> dead_letter_routes_;
    std::unique_ptr<EndpointRoutes> endpoint_routes_;
    std::unique_ptr<MatchRoute> match_route_;
    FleetRoute fleet_route_;
    std::unique_ptr<EventRoutes> event_routes_;  // null: there is no history
    StatusPage page_;
};

}  // namespace fanfare
