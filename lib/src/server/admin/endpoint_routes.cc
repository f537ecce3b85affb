#include "server/admin/endpoint_routes.h"

#include <nlohmann/json.hpp>

#include "base/run_on.h"
#include "base/task_group.h"
#include "base/timestamp.h"
#include "base/wakeup.h"
#include "server/admin/attempt_json.h"
#include "server/admin/json_text.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;
using Work = std::function<void(Endpoint&)>;

constexpr std::string_view ping_action = "ping";

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
    bool is_cut_off = false;         // the limit came first; the outcome means nothing
    Duration took{};
};

struct TestRun {
    std::shared_ptr<Endpoint> endpoint;
    EventPtr ping;
    Wakeup ended;
    TestResult result;
};

awaitable<void> attempt(TestRun& run) {
    const Outcome outcome = co_await run.endpoint->test(run.ping);
    run.result.outcome = outcome;
    run.ended.notify();
}

/// One attempt, which ends after `limit` at the latest.
awaitable<TestResult> run_test(std::shared_ptr<Endpoint> endpoint, EventPtr ping, Duration limit) {
    Shard& shard = endpoint->shard();
    Clock& clock = shard.clock();
    TestRun run{std::move(endpoint), std::move(ping), Wakeup(shard.executor()), {}};
    TaskGroup tasks(shard.executor(), [&run](const std::exception_ptr&) {
        run.result.outcome = Outcome::retry(Reason::exception);
        run.ended.notify();
    });
    const TimePoint begun = clock.now();
    const TimePoint deadline = begun + limit;
    tasks.spawn(attempt(run));
    while (!run.result.outcome && clock.now() < deadline) {
        co_await wait_until(clock, deadline, run.ended);
    }
    run.result.is_cut_off = !run.result.outcome;
    tasks.cancel();
    co_await tasks.join();
    run.result.took = clock.now() - begun;
    co_return run.result;
}

Json answer_of(int status) { return status == 0 ? Json() : Json(status); }

void describe(const Outcome& outcome, Json& body) {
    const bool is_delivered = outcome.verdict() == Verdict::delivered;
    const bool has_error = outcome.http_status() == 0 && !is_delivered;
    body["delivered"] = is_delivered;
    body["status"] = answer_of(outcome.http_status());
    body["error"] = has_error ? Json(to_string(outcome.reason())) : Json();
    if (has_error && outcome.error()) body["message"] = outcome.error().message();
}

void describe_cut_off(Json& body) {
    body["delivered"] = false;
    body["status"] = nullptr;
    body["error"] = to_string(Reason::timeout);
    body["message"] = "a test waits no longer, whatever the timeout of the endpoint";
}

std::string describe(const TestResult& result, const Event& ping) {
    Json body;
    body["event_id"] = ping.id();
    if (result.is_cut_off) {
        describe_cut_off(body);
    } else {
        describe(*result.outcome, body);
    }
    body["duration_seconds"] = to_seconds(result.took);
    return json_line(body);
}

Response store_unavailable(std::string_view message) {
    Response response = error_response(503, "STORE_UNAVAILABLE", message);
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

Response cut_off() {
    return store_unavailable("no server of the shared queue can be reached: nothing was done");
}

std::string is_paused_body(const Endpoint& endpoint, bool is_paused) {
    Json body;
    body["name"] = endpoint.name();
    body["paused"] = is_paused;
    return json_line(body);
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
    if (find_info(view_.get()->endpoints, name) != nullptr) {
        return error_response(404, "ENDPOINT_DISABLED", "the endpoint is not running");
    }
    return error_response(404, "NAME_UNKNOWN", "there is no endpoint of this name");
}

/// What is asked for is to hold for all processes, and they cannot be told.
bool EndpointRoutes::is_cut_off() const {
    const SharedLog* const log = sources_.fleet.log;
    return log != nullptr && !log->figures().is_connected;
}

awaitable<Response> EndpointRoutes::pause(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    if (is_cut_off()) co_return cut_off();
    Work work = [](Endpoint& found) { found.pause(); };
    co_await on_shard(endpoint, std::move(work));
    if (sources_.fleet.fleet != nullptr) sources_.fleet.fleet->pause(endpoint->name());
    co_return json_response(is_paused_body(*endpoint, true));
}

awaitable<Response> EndpointRoutes::resume(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    if (is_cut_off()) co_return cut_off();
    Work work = [](Endpoint& found) { found.resume(); };
    co_await on_shard(endpoint, std::move(work));
    if (sources_.fleet.fleet != nullptr) sources_.fleet.fleet->resume(endpoint->name());
    co_return json_response(is_paused_body(*endpoint, false));
}

awaitable<Response> EndpointRoutes::purge(AdminCall, std::shared_ptr<Endpoint> endpoint) {
    if (is_cut_off()) co_return cut_off();
    const std::optional<std::size_t> purged =
        co_await sources_.broadcaster.purge(std::move(endpoint));
    if (!purged) {
        co_return store_unavailable(
            "the shared queue did not answer: events may still be waiting there");
    }
    Json body;
    body["purged"] = *purged;
    co_return json_response(json_line(body));
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
    awaitable<TestResult> task = run_test(std::move(endpoint), ping, sources_.test_limit);
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
    for (const AttemptRecord& record : records) body["attempts"].push_back(attempt_json(record));
    body["next"] = nullptr;
    co_return json_response(json_line(body));
}

}  // namespace fanfare
