#include "server/admin/admin.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/run_on.h"
#include "base/wakeup.h"
#include "server/admin/dead_letter_routes.h"
#include "server/admin/debug_vars.h"
#include "server/admin/endpoint_routes.h"
#include "server/admin/endpoints.h"
#include "server/admin/match_route.h"
#include "server/admin/own_host.h"
#include "server/events/event_routes.h"

namespace fanfare {
namespace {

Response no_store(Response response) {
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

Response text_response(std::string body, std::string_view content_type) {
    Response response;
    response.body = std::move(body);
    response.content_type = content_type;
    return response;
}

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

Response unavailable(std::string_view message) {
    return error_response(503, "UNAVAILABLE", message);
}

/// Counts the loops that have answered, and wakes whoever waits for them. Shared with the loops,
/// as one that is stuck may answer long after nobody waits any more.
class Roll {
  public:
    Roll(Executor executor, std::size_t loops) : executor_(std::move(executor)), missing_(loops) {}

    Wakeup& changed() { return changed_; }
    bool is_complete() const noexcept { return missing_ == 0; }

    /// Asks the loop behind `executor`; the answer is counted on the asker's own loop.
    static void call(const std::shared_ptr<Roll>& roll, const Executor& executor) {
        net::post(executor, [roll] {
            net::post(roll->executor_, [roll] {
                --roll->missing_;
                roll->changed_.notify();
            });
        });
    }

  private:
    Executor executor_;
    std::size_t missing_;
    Wakeup changed_{executor_};
};

FleetScrape fleet_scrape(const FleetSource& source) {
    const FleetView view = source.fleet->view();
    return {source.log->figures(), view.replicas.size(), view.mismatches.size()};
}

awaitable<IngestMetrics> copy_metrics(const HttpServer& server, std::size_t shard) {
    co_return server.metrics(shard);
}

}  // namespace

Admin::Admin(AdminSources sources)
    : sources_(std::move(sources)),
      view_({std::move(sources_.endpoints), std::move(sources_.config),
             std::move(sources_.action_groups)}),
      dead_letter_routes_(
          std::make_unique<DeadLetterRoutes>(sources_, view_, composer_, readiness_)),
      endpoint_routes_(std::make_unique<EndpointRoutes>(sources_, view_)),
      match_route_(std::make_unique<MatchRoute>(sources_, view_, composer_)),
      fleet_route_(sources_.fleet) {
    add_routes();
    dead_letter_routes_->add_to(routes_);
    endpoint_routes_->add_to(routes_);
    match_route_->add_to(routes_);
    page_.add_to(routes_);
    if (sources_.fleet.fleet != nullptr) fleet_route_.add_to(routes_);
    if (sources_.events == nullptr) return;
    event_routes_ =
        std::make_unique<EventRoutes>(*sources_.events, sources_.broadcaster, view_, composer_);
    event_routes_->add_to(routes_);
}

Admin::~Admin() = default;

void Admin::add_routes() {
    const auto add = [this](std::string_view path, bool is_open, Handler handler) {
        AdminRoute route{.method = "GET", .path = path, .serve = {}};
        route.is_open = is_open;
        // Probes and scrapers may add what they like.
        route.takes_anything = !path.starts_with("/v1/");
        route.serve = [this, handler](AdminCall call) { return (this->*handler)(std::move(call)); };
        routes_.add(std::move(route));
    };
    add("/metrics", true, &Admin::metrics);
    add("/healthz", true, &Admin::healthz);
    add("/readyz", true, &Admin::readyz);
    add("/debug/vars", false, &Admin::show_debug_vars);
    add("/v1/config", false, &Admin::show_config);
    add("/v1/endpoints", false, &Admin::list_endpoints);
    add("/v1/endpoints/{}", false, &Admin::show_endpoint);
    if (!sources_.reload) return;
    routes_.add({.method = "POST", .path = "/-/reload", .serve = [this](const AdminCall&) {
                     return sources_.reload();
                 }});
}

std::string_view Admin::allowed_methods() const noexcept { return "GET, HEAD, POST, DELETE"; }

std::optional<Response> Admin::refuse(const RequestHead& head, const Peer& peer) {
    std::optional<Response> refused = refusal_of(head, peer);
    if (refused) {
        const AdminRoute* const route = routes_.find_path(head.path());
        count(route == nullptr ? "other" : route->path, refused->status);
    }
    return refused;
}

void Admin::count(std::string_view path, int status) {
    const std::lock_guard lock(requests_mutex_);
    ++requests_[{path, status}];
}

std::optional<Response> Admin::refusal_of(const RequestHead& head, const Peer& peer) {
    const std::string_view path = head.path();
    const AdminRoute* const any = routes_.find_path(path);
    // Who may not see what there is does not learn either what there is not.
    if (any == nullptr || !any->is_open) {
        std::optional<Response> denied = deny(head, peer);
        if (denied) return denied;
    }
    if (any == nullptr) {
        return no_store(error_response(404, "NAME_UNKNOWN", "nothing is served under this path"));
    }
    const AdminRoute* const route = routes_.find(head.method, path);
    if (route == nullptr) {
        const std::string methods = routes_.methods_of(path);
        Response response =
            error_response(405, "METHOD_NOT_ALLOWED", "only " + methods + " are allowed here");
        response.headers.emplace_back("Allow", methods);
        return no_store(std::move(response));
    }
    if (route->method != "GET" && is_cross_site(head)) {
        return no_store(error_response(403, "CROSS_SITE", "a page of another site asks for this"));
    }
    if (!decoded_text(AdminRoutes::name_in(*route, path))) {
        return no_store(error_response(404, "NAME_UNKNOWN", "the path cannot be decoded"));
    }
    if (route->takes_anything) return std::nullopt;
    const Result<Query> query = Query::parse(head.target, route->parameters);
    if (query.has_error()) return no_store(bad_parameter(query.error().message()));
    return std::nullopt;
}

std::optional<Response> Admin::deny(const RequestHead& head, const Peer& peer) {
    if (peer.is_unix) return std::nullopt;
    if (peer.is_local && is_for_own_host(head, sources_.listen)) return std::nullopt;
    if (sources_.token && sources_.token->accepts(head)) return std::nullopt;
    if (peer.is_local) {
        return no_store(error_response(403, "HOST_UNKNOWN",
                                       "the Host field names another host; expected localhost, an "
                                       "IP address, a host of admin.listen, or the bearer token"));
    }
    if (!sources_.token) {
        return no_store(error_response(403, "DENIED",
                                       "only local peers may see this, as admin.bearer_token_file "
                                       "is not configured"));
    }
    Response response = error_response(401, "UNAUTHORIZED", "the admin bearer token is needed");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"fanfare\"");
    return no_store(std::move(response));
}

Reply Admin::respond(Request request) {
    // refuse() has let it pass, so all of this is there.
    const std::string_view path = request.head.path();
    const AdminRoute& route = *routes_.find(request.head.method, path);
    if (!route.takes_anything && !route.takes_body && !request.body.empty()) {
        count(route.path, 400);
        return no_store(error_response(400, "BODY_UNEXPECTED",
                                       "nothing is read from a body here; expected what is meant "
                                       "as parameters in the URL"));
    }
    AdminCall call{
        request.head, request.peer, *decoded_text(AdminRoutes::name_in(route, path)), {}, {}};
    if (!route.takes_anything) call.query = *Query::parse(request.head.target, route.parameters);
    call.body = std::move(request.body);
    call.is_awaited = std::move(request.is_awaited);
    return serve(route, std::move(call));
}

awaitable<Response> Admin::serve(const AdminRoute& route, AdminCall call) {
    Response response;
    try {
        response = co_await route.serve(std::move(call));
    } catch (...) {
        count(route.path, 500);
        throw;
    }
    count(route.path, response.status);
    co_return no_store(std::move(response));
}

awaitable<Response> Admin::metrics(AdminCall) {
    Scrape scrape;
    scrape.snapshot = co_await sources_.broadcaster.snapshot();
    for (std::size_t i = 0; i < sources_.shards.size(); ++i) {
        awaitable<IngestMetrics> copy = copy_metrics(sources_.ingest, i);
        const IngestMetrics of_shard =
            co_await run_on(sources_.shards[i]->executor(), std::move(copy));
        scrape.ingest.add(of_shard);
    }
    scrape.process = read_process_facts();
    if (sources_.dead_letters != nullptr) scrape.dead_letters = sources_.dead_letters->counts();
    if (sources_.journal != nullptr) {
        scrape.journal = sources_.journal->counts();
        sources_.journal->look();
    }
    if (sources_.fleet.fleet != nullptr) scrape.fleet = fleet_scrape(sources_.fleet);
    {
        const std::lock_guard lock(requests_mutex_);
        scrape.requests = requests_;
    }
    if (sources_.events != nullptr) {
        scrape.history = sources_.events->history().counts();
        scrape.streams = sources_.events->totals();
    }
    if (sources_.reloads) scrape.reloads = sources_.reloads();
    scrape.build = sources_.build;
    scrape.with_registry_metrics = sources_.registry_metrics;
    Making make = [&scrape] { return exposition(scrape); };
    std::string text = co_await composer_.compose(std::move(make));
    co_return text_response(std::move(text), exposition_content_type);
}

awaitable<Response> Admin::healthz(AdminCall) {
    const Executor executor = co_await net::this_coro::executor;
    Clock& clock = sources_.shards.front()->clock();
    const auto roll = std::make_shared<Roll>(executor, sources_.shards.size());
    for (Shard* const shard : sources_.shards) Roll::call(roll, shard->executor());
    const TimePoint deadline = clock.now() + ping_limit;
    while (!roll->is_complete() && clock.now() < deadline) {
        co_await wait_until(clock, deadline, roll->changed());
    }
    if (!roll->is_complete()) co_return unavailable("an event loop does not turn");
    co_return text_response("ok\n", plain_text);
}

awaitable<Response> Admin::readyz(AdminCall) {
    switch (readiness_.load()) {
        case Readiness::starting:
            co_return unavailable("starting");
        case Readiness::draining:
            co_return unavailable("draining: about to end");
        case Readiness::ready:
            break;
    }
    if (sources_.journal != nullptr) {
        const JournalCounts counts = sources_.journal->counts();
        if (counts.is_broken) co_return unavailable("the disk has failed");
        if (counts.is_full) co_return unavailable("no room on the disk for events");
    }
    const FleetSource& fleet = sources_.fleet;
    if (fleet.log != nullptr && !fleet.is_ready_when_disconnected) {
        const SharedLogFigures log = fleet.log->figures();
        if (!log.is_connected) co_return unavailable("no server of the queue can be reached");
        if (!log.is_ready) co_return unavailable("the places of the endpoints are not there yet");
    }
    co_return text_response("ready\n", plain_text);
}

awaitable<Response> Admin::show_debug_vars(AdminCall) {
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    const ConfigView::Shown shown = view_.get();
    Making make = [&] { return debug_vars(sources_.command_line, shown->endpoints, snapshot); };
    std::string text = co_await composer_.compose(std::move(make));
    co_return json_response(std::move(text));
}

awaitable<Response> Admin::show_config(AdminCall) { co_return json_response(view_.get()->text); }

awaitable<Response> Admin::list_endpoints(AdminCall) {
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    const ConfigView::Shown shown = view_.get();
    std::optional<bool> is_connected;
    if (sources_.fleet.log != nullptr) is_connected = sources_.fleet.log->figures().is_connected;
    Making make = [&] { return endpoint_list(shown->endpoints, snapshot, is_connected); };
    std::string text = co_await composer_.compose(std::move(make));
    co_return json_response(std::move(text));
}

awaitable<Response> Admin::show_endpoint(AdminCall call) {
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    const ConfigView::Shown shown = view_.get();
    std::optional<std::string> body = endpoint_details(shown->endpoints, snapshot, call.name);
    if (body) co_return json_response(std::move(*body));
    co_return error_response(404, "NAME_UNKNOWN", "there is no endpoint of this name");
}

}  // namespace fanfare
