#include "config/effective.h"

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "http/url.h"
#include "server/admin/match_json.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* redacted = "<redacted>";

/// The same list under the registry's older name.
constexpr std::string_view older_spelling = "ignoredmediatypes";

std::string without_secrets(const std::string& text) {
    return text.find("://") == std::string::npos ? text : redacted_url(text);
}

Json show_keys(const std::vector<Key>& keys, Target& target);

struct Shown {
    Target& target;

    Json operator()(const BooleanKind& kind) const { return kind.at(target); }
    Json operator()(const IntegerKind& kind) const { return kind.get(target); }
    Json operator()(const DurationKind& kind) const { return format_duration(kind.at(target)); }
    Json operator()(const SizeKind& kind) const { return format_size(kind.at(target)); }
    Json operator()(const ChoiceKind& kind) const {
        const std::optional<std::size_t> index = kind.get(target);
        return index ? Json(kind.names[*index]) : Json();
    }
    Json operator()(const TextKind& kind) const {
        if (kind.at(target).empty()) return nullptr;
        return kind.show ? kind.show(target) : without_secrets(kind.at(target));
    }
    Json operator()(const TextListKind& kind) const {
        if (kind.show) return kind.show(target);
        Json list = Json::array();
        for (const std::string& text : kind.get(target)) list.push_back(without_secrets(text));
        return list;
    }
    Json operator()(const MappingKind& kind) const {
        const bool is_set = !kind.is_set || kind.is_set(target);
        return is_set ? show_keys(kind.keys, target) : Json();
    }
    Json operator()(const SpecialKind& kind) const {
        return kind.show ? Json::parse(kind.show(target)) : Json(redacted);
    }
    Json operator()(const EndpointsKind&) const { return nullptr; }
};

Json show_keys(const std::vector<Key>& keys, Target& target) {
    Json result = Json::object();
    for (const Key& key : keys) {
        const bool is_of_endpoints = std::holds_alternative<EndpointsKind>(key.kind);
        if (is_of_endpoints || key.name == older_spelling) continue;
        result[key.name] = std::visit(Shown{target}, key.kind);
    }
    return result;
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string effective_config(const Config& config) {
    const Schema schema = make_schema();
    Config copy = config;
    EndpointConfig none;
    Target top{copy, none};
    Json result = show_keys(schema.top, top);
    result["endpoints"] = Json::array();
    for (EndpointConfig& endpoint : copy.endpoints) {
        Target target{copy, endpoint};
        result["endpoints"].push_back(show_keys(schema.endpoint, target));
    }
    return dump(result) + '\n';
}

std::string shown_url(const EndpointConfig& endpoint) {
    const std::string& url = endpoint.http.url;
    return endpoint.is_url_from_variable ? redacted_origin(url) : redacted_url(url);
}

std::string show_template(Target& target) {
    const bool is_set = !target.endpoint.http.body_template.empty();
    return dump(is_set ? Json(redacted) : Json());
}

std::string show_headers(Target& target) {
    Json result = Json::object();
    for (const auto& header : target.endpoint.http.headers) result[header.first] = redacted;
    return dump(result);
}

std::string show_success(Target& target) { return show_statuses(target.endpoint.http.success); }

std::string show_statuses(const std::vector<StatusRange>& statuses) {
    Json result = Json::array();
    for (const StatusRange& range : statuses) {
        std::string codes = std::to_string(range.first);
        if (range.last != range.first) codes += '-' + std::to_string(range.last);
        result.push_back(std::move(codes));
    }
    return dump(result);
}

std::string show_factor(Target& target) { return dump(Json(target.endpoint.retry.factor)); }

std::string show_jitter(Target& target) {
    switch (target.endpoint.retry.jitter_or_default()) {
        case RetryPolicy::Jitter::full:
            return R"("full")";
        case RetryPolicy::Jitter::equal:
            return R"("equal")";
        case RetryPolicy::Jitter::none:
            return R"("none")";
    }
    return "null";
}

std::string show_schedule(Target& target) {
    Json result = Json::array();
    for (const Duration wait : target.endpoint.retry.schedule) {
        result.push_back(format_duration(wait));
    }
    return dump(result);
}

std::string show_action_groups(Target& target) { return dump(Json(target.config.action_groups)); }

std::string show_ignored_actions(Target& target) {
    return dump(Json(target.endpoint.ignored_actions));
}

std::string show_ports(Target& target) { return dump(Json(target.config.egress.ports)); }

std::string show_match(Target& target) { return dump(match_rules_json(target.endpoint.match)); }

}  // namespace fanfare
