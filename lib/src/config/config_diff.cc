#include "config/config_diff.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "config/effective.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// What taken_over() takes; everything else needs a restart.
constexpr std::array<std::string_view, 8> live_keys = {
    "log.level", "meta", "reload", "shutdown", "egress", "action_groups", "history", "streams"};

bool is_live(std::string_view key) {
    return std::any_of(live_keys.begin(), live_keys.end(), [key](std::string_view live) {
        return key == live || (key.starts_with(live) && key[live.size()] == '.');
    });
}

/// All but the endpoints, as a tree whose leaves are values.
Json tree_of(const Config& config) {
    Config rest = config;
    rest.endpoints.clear();
    return Json::parse(effective_config(rest));
}

/// What stands only in one of them is null in the other.
void collect_differing(const Json& before, const Json& after, const std::string& key,
                       ConfigDiff& diff) {
    if (!before.is_object() || !after.is_object()) {
        if (before != after) (is_live(key) ? diff.settings : diff.needs_restart).push_back(key);
        return;
    }
    const std::string prefix = key.empty() ? key : key + ".";
    for (const auto& [name, value] : after.items()) {
        collect_differing(before.value(name, Json()), value, prefix + name, diff);
    }
    for (const auto& [name, value] : before.items()) {
        if (!after.contains(name)) collect_differing(value, Json(), prefix + name, diff);
    }
}

/// What the trees do not show: they hold no passwords.
void note_hidden(const Config& before, const Config& after, std::vector<std::string>& differing) {
    const std::string key = "queue.servers";
    const bool is_same = before.storage.nats.servers == after.storage.nats.servers;
    const bool is_told = std::find(differing.begin(), differing.end(), key) != differing.end();
    if (!is_same && !is_told) differing.push_back(key);
}

using ByName = std::map<std::string_view, const EndpointConfig*>;

ByName enabled_endpoints(const Config& config) {
    ByName result;
    for (const EndpointConfig& endpoint : config.endpoints) {
        if (!endpoint.disabled) result.emplace(endpoint.name, &endpoint);
    }
    return result;
}

}  // namespace

ConfigDiff diff_configs(const Config& running, const Config& loaded) {
    const ByName before = enabled_endpoints(running);
    const ByName after = enabled_endpoints(loaded);
    ConfigDiff diff;
    for (const EndpointConfig& endpoint : loaded.endpoints) {
        if (endpoint.disabled) continue;
        const auto found = before.find(endpoint.name);
        if (found == before.end()) {
            diff.added.push_back(endpoint.name);
        } else if (*found->second == endpoint) {
            diff.unchanged.push_back(endpoint.name);
        } else {
            diff.changed.push_back(endpoint.name);
        }
    }
    for (const EndpointConfig& endpoint : running.endpoints) {
        if (!endpoint.disabled && !after.contains(endpoint.name)) {
            diff.removed.push_back(endpoint.name);
        }
    }
    collect_differing(tree_of(running), tree_of(loaded), {}, diff);
    note_hidden(running, loaded, diff.needs_restart);
    return diff;
}

Config taken_over(const Config& running, const Config& loaded) {
    Config result = running;
    result.log.level = loaded.log.level;
    result.meta = loaded.meta;
    result.reload = loaded.reload;
    result.shutdown_drain = loaded.shutdown_drain;
    result.egress = loaded.egress;
    result.action_groups = loaded.action_groups;
    result.history = loaded.history;
    result.streams = loaded.streams;
    result.endpoints = loaded.endpoints;
    result.warnings = loaded.warnings;
    return result;
}

}  // namespace fanfare
