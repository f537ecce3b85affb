#include "server/admin/endpoint_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/run_on.h"
#include "base/timestamp.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;
using Work = std::function<void(Endpoint&)>;

constexpr std::string_view ping_action = "ping";

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

double seconds(Duration value) { return std::chrono::duration<double>(value).count(); }

awaitable<void> call(std::shared_ptr<Endpoint> endpoint, Work work) {
    work(*endpoint);
    co_return;
}

/// Does `work` on the endpoint's shard.
awaitable<void> on_shard(std::shared_ptr<Endpoint> endpoint, Work work) {
    const Executor executor = endpoint->shard().executor();
    awaitable<void> task = call(std::move(endpoint), std::move(work));
    co_await run_on(executor, std::move(task));
}

struct TestResult {
    std::optional<Outcome> outcome;  // a coroutine's result must be made from nothing
    Duration took{};
};

awaitable<TestResult> run_test(std::shared_ptr<Endpoint> endpoint, EventPtr ping) {
    Clock& clock = endpoint->shard().clock();
    const TimePoint begun = clock.now();
    const Outcome outcome = co_await endpoint->test(std::move(ping));
    TestResult result;
    result.outcome = outcome;
    result.took = clock.now() - begun;
    co_return result;
}

Json answer_of(int status) { return status == 0 ? Json() : Json(status); }

Json describe(const AttemptRecord& attempt) {
    Json entry;
    entry["at"] = rfc3339(attempt.began_at);
    entry["event_id"] = attempt.event_id;
    entry["seq"] = attempt.seq;
    entry["events"] = attempt.events;
    entry["attempt"] = attempt.number;
    entry["status"] = answer_of(attempt.status);
    const bool has_error = attempt.status == 0 && attempt.error != Reason::none;
    entry["error"] = has_error ? Json(to_string(attempt.error)) : Json();
    entry["duration_seconds"] = seconds(attempt.took);
    return entry;
}

std::string describe(const TestResult& result, const Event& ping) {
    const Outcome& outcome = *result.outcome;
    const bool is_delivered = outcome.verdict() == Verdict::delivered;
    const bool has_error = outcome.http_status() == 0 && !is_delivered;
    Json body;
    body["event_id"] = ping.id();
    body["delivered"] = is_delivered;
    body["status"] = answer_of(outcome.http_status());
    body["error"] = has_error ? Json(to_string(outcome.reason())) : Json();
    if (has_error && outcome.error()) body["message"] = outcome.error().message();
    body["duration_seconds"] = seconds(result.took);
    return dump(body);
}

std::string is_paused_body(const Endpoint& endpoint, bool is_paused) {
    Json body;
    body["name"] = endpoint.name();
    body["paused"] = is_paused;
    return dump(body);
}

}  // namespace

void EndpointRoutes::add_to(AdminRoutes& routes) {
    const auto add = [&](std::string_view method, std::string_view path, Handler handler) {
        routes.add(AdminRoute{.method = method, .path = path, .serve = serving(handler)});
    };
    add("POST", "/v1/endpoints/{}/pause", &EndpointRoutes::pause);
    add("POST", "/v1/endpoints/{}/resume", &EndpointRoutes::resume);
    add("POST", "/v1/endpoints/{}/purge", &EndpointRoutes::purge);
    add("POST", "/v1/endpoints/{}/test", &EndpointRoutes::test);
    AdminRoute attempts{.method = "GET",
                        .path = "/v1/endpoints/{}/attempts",
                        .serve = serving(&EndpointRoutes::attempts)};
    attempts.parameters = {"limit"};
    routes.add(std::move(attempts));
}

std::function<awaitable<Response>(AdminCall)> EndpointRoutes::serving(Handler handler) {
    return [this, handler](AdminCall call) { return find(handler, std::move(call)); };
}

awaitable<Response> EndpointRoutes::find(Handler handler, AdminCall call) {
    std::shared_ptr<Endpoint> endpoint = sources_.broadcaster.find(call.name);
    if (!endpoint) co_return not_there(call.name);
    Response response = co_await (this->*handler)(std::move(call), std::move(endpoint));
    co_return response;
}

Response EndpointRoutes::not_there(const std::string& name) const {
    const ConfigView::Shown shown = view_.get();
    const auto& all = shown->endpoints;
    const bool is_known = std::any_of(all.begin(), all.end(), [&](const EndpointInfo& endpoint) {
        return endpoint.name == name;
    });
    if (is_known) return error_response(409, "ENDPOINT_DISABLED", "the endpoint is not running");
    return error_response(404, "NAME_UNKNOWN", "there is no endpoint of this name");
}

awaitable<Response> EndpointRoutes::pause(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    Work work = [](Endpoint& found) { found.pause(); };
    co_await on_shard(endpoint, std::move(work));
    endpoint->shard().log().info("admin", "endpoint paused", {{"endpoint", endpoint->name()}});
    co_return json_response(is_paused_body(*endpoint, true));
}

awaitable<Response> EndpointRoutes::resume(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    Work work = [](Endpoint& found) { found.resume(); };
    co_await on_shard(endpoint, std::move(work));
    endpoint->shard().log().info("admin", "endpoint resumed", {{"endpoint", endpoint->name()}});
    co_return json_response(is_paused_body(*endpoint, false));
}

awaitable<Response> EndpointRoutes::purge(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    std::size_t purged = 0;
    Work work = [&purged](Endpoint& found) { purged = found.purge(); };
    co_await on_shard(endpoint, std::move(work));
    endpoint->shard().log().warn("admin", "queue of an endpoint purged",
                                 {{"endpoint", endpoint->name()}, {"events", purged}});
    Json body;
    body["purged"] = purged;
    co_return json_response(dump(body));
}

EventPtr EndpointRoutes::make_ping() {
    const std::string id = ids_.next();
    Json payload;
    payload["id"] = id;
    payload["timestamp"] = rfc3339(sources_.shards.front()->clock().wall());
    payload["action"] = ping_action;
    payload["source"]["addr"] = "fanfare";
    EventFields fields;
    fields.id = id;
    fields.action = ping_action;
    return Event::make(payload.dump(), fields, MediaType::registry_v2);
}

awaitable<Response> EndpointRoutes::test(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    const EventPtr ping = make_ping();
    const Executor executor = endpoint->shard().executor();
    awaitable<TestResult> task = run_test(std::move(endpoint), ping);
    const TestResult result = co_await run_on(executor, std::move(task));
    co_return json_response(describe(result, *ping));
}

awaitable<Response> EndpointRoutes::attempts(AdminCall call, std::shared_ptr<Endpoint> endpoint) {
    const auto limit = call.query.integer("limit", 1, attempts_limit);
    if (limit.has_error()) co_return bad_parameter(limit.error().message());
    const auto count = static_cast<std::size_t>(limit->value_or(attempts_limit));
    std::vector<AttemptRecord> records;
    Work work = [&](Endpoint& found) { records = found.attempts(count); };
    co_await on_shard(std::move(endpoint), std::move(work));
    Json body;
    body["attempts"] = Json::array();
    for (const AttemptRecord& record : records) body["attempts"].push_back(describe(record));
    body["next"] = nullptr;
    co_return json_response(dump(body));
}

}  // namespace fanfare
