#include "server/admin/admin.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/run_on.h"
#include "base/wakeup.h"
#include "server/admin/debug_vars.h"
#include "server/admin/endpoints.h"

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

constexpr const char* methods = "GET, HEAD";
constexpr std::string_view plain_text = "text/plain; charset=utf-8";
constexpr std::string_view json = "application/json";

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

awaitable<std::string> call(std::function<std::string()> make) { co_return make(); }

awaitable<IngestMetrics> copy_metrics(const HttpServer& server, std::size_t shard) {
    co_return server.metrics(shard);
}

}  // namespace

/// What is served under a path, or under everything that begins with it.
struct Admin::Route {
    std::string_view path;
    bool is_open;       ///< to all, not only to local peers and with the token
    bool has_argument;  ///< the rest of the path, behind a slash
    awaitable<Response> (Admin::*serve)(std::string argument);
};

const Admin::Route* Admin::find_route(std::string_view path) {
    static constexpr std::array routes = {
        Route{"/metrics", true, false, &Admin::metrics},
        Route{"/healthz", true, false, &Admin::healthz},
        Route{"/readyz", true, false, &Admin::readyz},
        Route{"/debug/vars", false, false, &Admin::show_debug_vars},
        Route{"/v1/endpoints", false, false, &Admin::list_endpoints},
        Route{"/v1/endpoints/", false, true, &Admin::show_endpoint},
    };
    for (const Route& route : routes) {
        const bool fits = route.has_argument ? path.starts_with(route.path) : path == route.path;
        if (fits) return &route;
    }
    return nullptr;
}

std::string_view Admin::allowed_methods() const noexcept { return methods; }

std::optional<Response> Admin::refuse(const RequestHead& head, const Peer& peer) {
    const Route* const route = find_route(head.path());
    // Who may not see what there is does not learn either what there is not.
    if (route == nullptr || !route->is_open) {
        std::optional<Response> denied = deny(head, peer);
        if (denied) return denied;
    }
    if (route == nullptr) {
        return no_store(error_response(404, "NAME_UNKNOWN", "nothing is served under this path"));
    }
    if (head.method != "GET" && head.method != "HEAD") {
        Response response =
            error_response(405, "METHOD_NOT_ALLOWED", "only GET and HEAD are allowed here");
        response.headers.emplace_back("Allow", methods);
        return no_store(std::move(response));
    }
    return std::nullopt;
}

std::optional<Response> Admin::deny(const RequestHead& head, const Peer& peer) {
    if (peer.is_local) return std::nullopt;
    if (!sources_.token) {
        return no_store(error_response(403, "DENIED",
                                       "only local peers may see this, as admin.bearer_token_file "
                                       "is not configured"));
    }
    if (sources_.token->accepts(head)) return std::nullopt;
    Response response = error_response(401, "UNAUTHORIZED", "the admin bearer token is needed");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"fanfare\"");
    return no_store(std::move(response));
}

Reply Admin::respond(Request request) {
    const std::string_view path = request.head.path();
    const Route& route = *find_route(path);
    return serve(route, std::string(path.substr(route.path.size())));
}

awaitable<Response> Admin::serve(const Route& route, std::string argument) {
    Response response = co_await (this->*route.serve)(std::move(argument));
    co_return no_store(std::move(response));
}

/// Makes a text on a thread apart: with a thousand endpoints that takes tens of milliseconds, in
/// which a shard could have delivered hundreds of events.
awaitable<std::string> Admin::compose(Making make) {
    awaitable<std::string> text = call(std::move(make));
    std::string result = co_await run_on(composer_.get_executor(), std::move(text));
    co_return result;
}

awaitable<Response> Admin::metrics(std::string) {
    Scrape scrape;
    scrape.snapshot = co_await sources_.broadcaster.snapshot();
    for (std::size_t i = 0; i < sources_.shards.size(); ++i) {
        awaitable<IngestMetrics> copy = copy_metrics(sources_.ingest, i);
        const IngestMetrics of_shard =
            co_await run_on(sources_.shards[i]->executor(), std::move(copy));
        scrape.ingest.add(of_shard);
    }
    scrape.process = read_process_facts();
    scrape.build = sources_.build;
    scrape.with_registry_metrics = sources_.registry_metrics;
    Making make = [&scrape] { return exposition(scrape); };
    std::string text = co_await compose(std::move(make));
    co_return text_response(std::move(text), exposition_content_type);
}

awaitable<Response> Admin::healthz(std::string) {
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

awaitable<Response> Admin::readyz(std::string) {
    switch (readiness_.load()) {
        case Readiness::starting:
            co_return unavailable("starting");
        case Readiness::draining:
            co_return unavailable("draining: about to end");
        case Readiness::ready:
            break;
    }
    co_return text_response("ready\n", plain_text);
}

awaitable<Response> Admin::show_debug_vars(std::string) {
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    Making make = [&] { return debug_vars(sources_.command_line, sources_.endpoints, snapshot); };
    std::string text = co_await compose(std::move(make));
    co_return text_response(std::move(text), json);
}

awaitable<Response> Admin::list_endpoints(std::string) {
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    Making make = [&] { return endpoint_list(sources_.endpoints, snapshot); };
    std::string text = co_await compose(std::move(make));
    co_return text_response(std::move(text), json);
}

awaitable<Response> Admin::show_endpoint(std::string argument) {
    const Snapshot snapshot = co_await sources_.broadcaster.snapshot();
    std::optional<std::string> body = endpoint_details(sources_.endpoints, snapshot, argument);
    if (body) co_return text_response(std::move(*body), json);
    co_return error_response(404, "NAME_UNKNOWN", "there is no endpoint of this name");
}

}  // namespace fanfare
