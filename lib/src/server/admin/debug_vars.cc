#include "server/admin/debug_vars.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/admin/find_endpoint.h"
#include "server/admin/go_status_text.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// As Go writes a slice: null if there is nothing in it.
Json slice(const std::vector<std::string>& texts) { return texts.empty() ? Json() : Json(texts); }

Json headers(const std::vector<std::string>& names) {
    if (names.empty()) return {};
    Json result = Json::object();
    for (const std::string& name : names) {
        Json& values = result[name];
        if (values.is_null()) values = Json::array();
        values.push_back("<redacted>");
    }
    return result;
}

/// Sorted by key, as Go writes a map.
nlohmann::json statuses(const StatusCounts& responses) {
    nlohmann::json result = nlohmann::json::object();
    for (const auto& [code, count] : responses.entries()) result[go_status(code)] = count;
    return result;
}

Json metrics(const EndpointSnapshot& endpoint) {
    return {{"Pending", endpoint.pending_events},
            {"Events", endpoint.metrics.events()},
            {"Successes", endpoint.metrics.successes()},
            {"Failures", endpoint.metrics.failures()},
            {"Errors", endpoint.metrics.errors()},
            {"Statuses", statuses(endpoint.metrics.responses())}};
}

Json entry(const EndpointInfo& info, const EndpointSnapshot& endpoint) {
    return {{"name", info.name},
            {"url", info.url},
            {"Headers", headers(info.header_names)},
            {"Timeout", info.timeout.count()},
            {"Threshold", info.retry.threshold},
            {"Backoff", info.retry.backoff.count()},
            {"IgnoredMediaTypes", nullptr},
            {"Ignore",
             {{"MediaTypes", slice(info.ignored_media_types)},
              {"Actions", slice(info.ignored_actions)}}},
            {"Metrics", metrics(endpoint)}};
}

}  // namespace

std::string debug_vars(std::span<const std::string> command_line,
                       std::span<const EndpointInfo> endpoints, const Snapshot& snapshot) {
    Json list;
    for (const EndpointInfo& info : endpoints) {
        const EndpointSnapshot* const endpoint = find_endpoint(snapshot, info.name);
        if (endpoint != nullptr) list.push_back(entry(info, *endpoint));
    }
    Json root;
    root["cmdline"] = Json::array();
    for (const std::string& word : command_line) root["cmdline"].push_back(word);
    root["registry"]["notifications"]["endpoints"] = std::move(list);
    return root.dump(1, '\t', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace fanfare
