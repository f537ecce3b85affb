#include "config/endpoint_checks.h"

#include <algorithm>
#include <utility>

namespace fanfare {
namespace {

const YamlEntry* find(const YamlNode& node, std::string_view key) {
    const bool is_mapping = node.kind == YamlNode::Kind::mapping;
    const YamlEntry* const entry = is_mapping ? node.find(std::string(key)) : nullptr;
    const bool is_set = entry != nullptr && entry->value->kind != YamlNode::Kind::null;
    return is_set ? entry : nullptr;
}

bool takes_one_event(BodyFormat format) {
    return format == BodyFormat::cloudevents_binary || format == BodyFormat::templated;
}

void check_batch(const Value& value, const EndpointConfig& endpoint) {
    const YamlEntry* const batch = find(value.node(), "batch");
    if (batch == nullptr || endpoint.batch.events_max <= 1) return;
    if (endpoint.max_in_flight > 1) {
        value.refuse_key(*batch, "max_events above 1 does not go with max_in_flight " +
                                     std::to_string(endpoint.max_in_flight) +
                                     "; expected max_in_flight 1");
    } else if (!endpoint.order_by.empty()) {
        value.refuse_key(*batch,
                         "max_events above 1 does not go with order_by; expected one of "
                         "them only");
    } else if (takes_one_event(endpoint.http.format)) {
        value.refuse_key(*batch, "max_events above 1 does not go with format " +
                                     std::string(to_string(endpoint.http.format)) +
                                     "; expected max_events 1");
    }
}

/// What is written down at its default does no harm anywhere.
std::vector<const char*> growth_keys_in(const Value& retry, const RetryPolicy& policy) {
    const RetryPolicy defaults;
    std::vector<const char*> found;
    const auto add = [&](const char* name, bool is_default) {
        if (!is_default && find(retry.node(), name) != nullptr) found.push_back(name);
    };
    add("initial", policy.initial == defaults.initial);
    add("factor", policy.factor == defaults.factor);
    add("max", policy.max == defaults.max);
    return found;
}

void check_growth(const Value& retry, const RetryPolicy& policy) {
    std::vector<const char*> growth = growth_keys_in(retry, policy);
    if (policy.strategy == RetryPolicy::Strategy::breaker) {
        for (const char* const name : {"jitter", "schedule"}) {
            if (find(retry.node(), name) != nullptr) growth.push_back(name);
        }
        for (const char* const name : growth) {
            retry.refuse_key(*find(retry.node(), name),
                             "has no meaning for a breaker; expected \"strategy: exponential\" "
                             "beside it");
        }
    } else if (!policy.schedule.empty()) {
        for (const char* const name : growth) {
            retry.refuse_key(*find(retry.node(), name),
                             "has no meaning beside schedule; expected only one of them");
        }
    } else if (policy.initial > policy.max && !growth.empty()) {
        retry.refuse_key(*find(retry.node(), growth.front()),
                         "makes initial longer than max; expected at most max");
    }
}

bool overlap(const std::vector<StatusRange>& some, const std::vector<StatusRange>& others) {
    return std::any_of(some.begin(), some.end(), [&](const StatusRange& a) {
        return std::any_of(others.begin(), others.end(), [&](const StatusRange& b) {
            return a.first <= b.last && b.first <= a.last;
        });
    });
}

void check_statuses(const Value& retry, const EndpointConfig& endpoint) {
    const RetryPolicy& policy = endpoint.retry;
    const auto refuse = [&](const char* key, const char* other) {
        const YamlEntry* const entry = find(retry.node(), key);
        if (entry == nullptr) return;
        retry.refuse_key(*entry, std::string("has a code that is in ") + other +
                                     ", too; expected each code in one list only");
    };
    if (overlap(policy.permanent, endpoint.http.success)) refuse("permanent", "success");
    if (overlap(policy.retryable, endpoint.http.success)) refuse("retryable", "success");
    if (overlap(policy.permanent, policy.retryable)) refuse("retryable", "permanent");
}

void check_gone(const Value& retry, const EndpointConfig& endpoint) {
    const RetryPolicy& policy = endpoint.retry;
    const YamlEntry* const gone = find(retry.node(), "gone_disables");
    if (gone == nullptr || !policy.gone_disables) return;
    const std::vector<StatusRange> status = {{410, 410}};
    const auto refuse = [&](const char* other) {
        retry.refuse_key(*gone, std::string("has no meaning, as 410 is in ") + other +
                                    "; expected 410 in neither retryable nor success");
    };
    if (overlap(policy.retryable, status)) refuse("retryable");
    if (overlap(endpoint.http.success, status)) refuse("success");
}

}  // namespace

void check_endpoint(const Value& value, const EndpointConfig& endpoint) {
    check_batch(value, endpoint);
    const YamlEntry* const retry = find(value.node(), "retry");
    if (retry == nullptr || retry->value->kind != YamlNode::Kind::mapping) return;
    check_growth(value.entry(*retry), endpoint.retry);
    check_statuses(value.entry(*retry), endpoint);
    check_gone(value.entry(*retry), endpoint);
}

void check_breaker_keys(const Value& own, const EndpointConfig& endpoint) {
    const RetryPolicy& policy = endpoint.retry;
    const YamlEntry* const retry = find(own.node(), "retry");
    if (policy.strategy == RetryPolicy::Strategy::breaker || retry == nullptr) return;
    if (find(*retry->value, "strategy") == nullptr) return;
    const RetryPolicy defaults;
    const auto refuse = [&](const char* key, bool is_default) {
        const YamlEntry* const entry = find(own.node(), key);
        if (entry == nullptr || is_default) return;
        own.refuse_key(
            *entry, "has no meaning beside \"strategy: exponential\"; expected only one of them");
    };
    refuse("threshold", policy.threshold == defaults.threshold);
    refuse("backoff", policy.backoff == defaults.backoff);
}

}  // namespace fanfare
