#include "config/reload_route.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/wakeup.h"
#include "server/admin/json_text.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration reload_wait_max = std::chrono::seconds(30);

/// Shared with the reloader, which may have an answer when nobody waits for it any more. What it
/// holds is touched on the asker's loop only.
struct Waiting {
    explicit Waiting(const Executor& asker) : executor(asker), answered(asker) {}

    static void answer(const std::shared_ptr<Waiting>& waiting,
                       std::optional<ReloadOutcome> outcome) {
        net::post(waiting->executor, [waiting, outcome = std::move(outcome)]() mutable {
            waiting->outcome = std::move(outcome);
            waiting->is_answered = true;
            waiting->answered.notify();
        });
    }

    Executor executor;
    Wakeup answered;
    bool is_answered = false;
    std::optional<ReloadOutcome> outcome;
};

Json describe(const ConfigError& error) {
    Json detail;
    detail["file"] = error.file;
    detail["line"] = error.line == 0 ? Json() : Json(error.line);
    detail["column"] = error.line == 0 ? Json() : Json(error.column);
    detail["key"] = error.key.empty() ? Json() : Json(error.key);
    Json entry;
    entry["code"] = "CONFIG_INVALID";
    entry["message"] = error.text();
    entry["detail"] = std::move(detail);
    return entry;
}

Json describe(const ReloadOutcome& outcome) {
    Json body;
    body["result"] = to_string(outcome.result);
    body["added"] = outcome.diff.added;
    body["changed"] = outcome.diff.changed;
    body["removed"] = outcome.diff.removed;
    body["unchanged"] = outcome.diff.unchanged;
    body["settings"] = outcome.diff.settings;
    body["needs_restart"] = outcome.diff.needs_restart;
    body["hash"] = outcome.hash;
    return body;
}

}  // namespace

awaitable<Response> reload_now(Reloader& reloader, Clock& clock) {
    const Executor executor = co_await net::this_coro::executor;
    const auto waiting = std::make_shared<Waiting>(executor);
    Reloader::Done done = [waiting](std::optional<ReloadOutcome> outcome) {
        Waiting::answer(waiting, std::move(outcome));
    };
    reloader.request(std::move(done));
    const TimePoint deadline = clock.now() + reload_wait_max;
    while (!waiting->is_answered && clock.now() < deadline) {
        co_await wait_until(clock, deadline, waiting->answered);
    }
    if (!waiting->is_answered) {
        co_return error_response(503, "UNAVAILABLE", "another reload takes its time");
    }
    if (!waiting->outcome) co_return error_response(503, "UNAVAILABLE", "about to end");
    co_return reload_response(*waiting->outcome);
}

Response reload_response(const ReloadOutcome& outcome) {
    Json body;
    if (outcome.result == ReloadResult::rejected) {
        body["errors"] = Json::array();
        for (const ConfigError& error : outcome.errors) body["errors"].push_back(describe(error));
    } else {
        body = describe(outcome);
    }
    Response response;
    response.status = outcome.result == ReloadResult::rejected ? 400 : 200;
    response.body = json_line(body);
    return response;
}

}  // namespace fanfare
