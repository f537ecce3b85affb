#include "server/admin/endpoints.h"

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "server/admin/find_endpoint.h"
#include "server/admin/json_text.h"
#include "server/admin/match_json.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

std::string_view state(const EndpointInfo& info, const EndpointSnapshot& endpoint) {
    if (info.is_disabled) return "disabled";
    if (endpoint.is_gone) return "gone";
    if (endpoint.is_paused) return "paused";
    if (endpoint.pause_left > Duration::zero()) return "asked_to_wait";
    if (endpoint.is_breaker_open) return "breaker_open";
    if (!endpoint.is_up) return "down";
    return endpoint.hold_left > Duration::zero() ? "held" : "up";
}

template <class Enum, class Count>
Json by_reason(std::size_t reasons, Count count) {
    Json result = Json::object();
    for (std::size_t i = 0; i < reasons; ++i) {
        const auto reason = static_cast<Enum>(i);
        result[std::string(to_string(reason))] = count(reason);
    }
    return result;
}

Json errors(const EndpointMetrics& metrics) {
    Json result = Json::object();
    for (const Reason reason : EndpointMetrics::error_reasons) {
        result[std::string(to_string(reason))] = metrics.errors(reason);
    }
    return result;
}

Json responses(const StatusCounts& counts) {
    Json result = Json::object();
    for (const auto& [code, count] : counts.entries()) result[std::to_string(code)] = count;
    return result;
}

Json counters(const EndpointMetrics& metrics) {
    Json result;
    result["events"] = metrics.events();
    result["ignored"] = metrics.ignored_events();
    result["replayed"] = metrics.replayed_events();
    result["meta"] = metrics.meta_events();
    result["restored"] = metrics.restored_events();
    result["successes"] = metrics.successes();
    result["failures"] = metrics.failures();
    result["errors"] = errors(metrics);
    result["responses"] = responses(metrics.responses());
    result["retries"] = metrics.retries();
    result["dropped"] = by_reason<DropReason>(
        drop_reasons, [&](DropReason reason) { return metrics.dropped_events(reason); });
    result["dead_letters"] = by_reason<DeadReason>(
        dead_reasons, [&](DeadReason reason) { return metrics.dead_letters(reason); });
    result["connections_opened"] = metrics.connections_opened();
    return result;
}

Json statuses(const std::vector<StatusRange>& ranges) {
    Json result = Json::array();
    for (const StatusRange& range : ranges) {
        std::string codes = std::to_string(range.first);
        if (range.last != range.first) codes += '-' + std::to_string(range.last);
        result.push_back(std::move(codes));
    }
    return result;
}

Json batch(const LeaseLimits& limits) {
    return {{"max_events", limits.events_max},
            {"max_bytes", limits.bytes_max},
            {"linger_seconds", to_seconds(limits.linger)}};
}

const char* text(RetryPolicy::Jitter jitter) {
    switch (jitter) {
        case RetryPolicy::Jitter::full:
            return "full";
        case RetryPolicy::Jitter::equal:
            return "equal";
        case RetryPolicy::Jitter::none:
            return "none";
    }
    return "none";
}

void add_growth(const RetryPolicy& policy, Json& result) {
    result["strategy"] = "exponential";
    if (policy.schedule.empty()) {
        result["initial_seconds"] = to_seconds(policy.initial);
        result["factor"] = policy.factor;
        result["max_seconds"] = to_seconds(policy.max);
    }
    for (const Duration wait : policy.schedule) {
        result["schedule_seconds"].push_back(to_seconds(wait));
    }
    result["jitter"] = text(policy.jitter_or_default());
}

Json retry(const RetryPolicy& policy) {
    Json result;
    if (policy.strategy == RetryPolicy::Strategy::exponential) {
        add_growth(policy, result);
    } else {
        result["strategy"] = "breaker";
        result["threshold"] = policy.threshold;
        result["backoff_seconds"] = to_seconds(policy.backoff);
    }
    result["max_attempts"] = policy.attempts_max;
    result["max_age_seconds"] = to_seconds(policy.age_max);
    result["permanent"] = statuses(policy.permanent);
    result["retryable"] = statuses(policy.retryable);
    result["gone_disables"] = policy.gone_disables;
    result["retry_after_max_seconds"] = to_seconds(policy.retry_after_max);
    return result;
}

Json signing(const EndpointInfo& info) {
    if (info.signing_secrets == 0) return {};
    Json result;
    switch (info.signing_scheme) {
        case SigningScheme::standard:
            result["scheme"] = "standard";
            break;
        case SigningScheme::github:
            result["scheme"] = "github";
            break;
        case SigningScheme::stripe:
            result["scheme"] = "stripe";
            break;
    }
    result["secrets"] = info.signing_secrets;
    return result;
}

Json auth(AuthOptions::Type type) {
    switch (type) {
        case AuthOptions::Type::none:
            break;
        case AuthOptions::Type::bearer:
            return "bearer";
        case AuthOptions::Type::basic:
            return "basic";
        case AuthOptions::Type::oauth2:
            return "oauth2";
    }
    return {};
}

Json queue(const QueueBounds& bounds) {
    Json result;
    result["max_events"] = bounds.events_max;
    result["max_bytes"] = bounds.bytes_max;
    result["overflow"] = to_string(bounds.overflow);
    return result;
}

Json settings(const EndpointInfo& info) {
    Json result;
    result["url"] = info.url;
    result["headers"] = Json::object();
    for (const std::string& name : info.header_names) result["headers"][name] = "<redacted>";
    result["format"] = to_string(info.format);
    result["timeout_seconds"] = to_seconds(info.timeout);
    result["connect_timeout_seconds"] = to_seconds(info.connect_timeout);
    result["success"] = statuses(info.success);
    result["max_in_flight"] = info.max_in_flight;
    if (!info.order_by.empty()) result["order_by"] = info.order_by;
    result["batch"] = batch(info.batch);
    result["queue"] = queue(info.queue);
    result["retry"] = retry(info.retry);
    result["ignore"]["mediatypes"] = info.ignored_media_types;
    result["ignore"]["actions"] = info.ignored_actions;
    result["match"] = match_rules_json(info.match);
    result["insecure_skip_verify"] = info.insecure_skip_verify;
    result["signing"] = signing(info);
    result["auth"] = auth(info.auth_type);
    result["idle_timeout_seconds"] = to_seconds(info.idle_timeout);
    if (!info.proxy.empty()) {
        result["proxy"] = info.proxy;
        result["no_proxy"] = info.no_proxy;
    }
    return result;
}

Json last_error(const EndpointSnapshot& endpoint) {
    if (endpoint.last_error.empty()) return {};
    Json result;
    result["message"] = endpoint.last_error;
    result["at"] = rfc3339(endpoint.last_error_at);
    return result;
}

Json last_success(const EndpointSnapshot& endpoint) {
    if (endpoint.last_success_at == WallTime{}) return {};
    return rfc3339(endpoint.last_success_at);
}

Json entry(const EndpointInfo& info, const Snapshot& snapshot) {
    const EndpointSnapshot* const found = find_endpoint(snapshot, info.name);
    const EndpointSnapshot idle;
    const EndpointSnapshot& endpoint = found != nullptr ? *found : idle;
    Json result;
    result["name"] = info.name;
    result["state"] = state(info, endpoint);
    if (endpoint.pause_left > Duration::zero()) {
        result["pause_seconds_left"] = to_seconds(endpoint.pause_left);
    }
    if (endpoint.hold_left > Duration::zero()) {
        // As another process has found, or as nobody knows yet what the others have.
        result["held_seconds_left"] = to_seconds(endpoint.hold_left);
    }
    result["pending"] = endpoint.pending_events;
    result["pending_bytes"] = endpoint.pending_bytes;
    result["oldest_pending_seconds"] = to_seconds(endpoint.oldest_pending);
    result["in_flight"] = endpoint.in_flight_requests;
    result["rate"] = endpoint.delivered_per_second;
    result["counters"] = counters(endpoint.metrics);
    result["last_error"] = last_error(endpoint);
    result["last_success"] = last_success(endpoint);
    result["settings"] = settings(info);
    return result;
}

}  // namespace

std::string endpoint_list(std::span<const EndpointInfo> endpoints, const Snapshot& snapshot,
                          std::optional<bool> is_queue_connected) {
    Json result;
    if (is_queue_connected) result["queue_connected"] = *is_queue_connected;
    result["endpoints"] = Json::array();
    for (const EndpointInfo& info : endpoints) {
        result["endpoints"].push_back(entry(info, snapshot));
    }
    result["next"] = nullptr;
    return json_line(result);
}

std::optional<std::string> endpoint_details(std::span<const EndpointInfo> endpoints,
                                            const Snapshot& snapshot, std::string_view name) {
    const EndpointInfo* const info = find_info(endpoints, name);
    if (info == nullptr) return std::nullopt;
    return json_line(entry(*info, snapshot));
}

}  // namespace fanfare
