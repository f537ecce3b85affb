// Who is there, and what is configured where.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/timestamp.h"
#include "runtime/fleet.h"
#include "runtime/fleet_keys.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// A process is erased by whoever sees that it has been silent for this long.
constexpr Duration erased_after = std::chrono::minutes(2);
FleetReplica replica_of(const std::string& id, const std::string& text) {
    const Json json = Json::parse(text);
    FleetReplica replica;
    replica.id = id;
    replica.host = json.value("host", std::string());
    replica.version = json.value("version", std::string());
    replica.started_at = from_milliseconds(json.value("started", std::int64_t{0}));
    for (const auto& [name, hash] : json.at("endpoints").items()) {
        replica.endpoints.emplace(name, hash.get<std::string>());
    }
    return replica;
}

}  // namespace

std::string Fleet::text_of_self() const {
    Json json;
    json["id"] = self_.id;
    json["host"] = self_.host;
    json["version"] = self_.version;
    json["started"] = to_milliseconds(started_at_);
    json["seen"] = rfc3339(loop_.clock().wall());
    json["endpoints"] = Json::object();
    const std::lock_guard lock(mutex_);
    for (const auto& [name, endpoint] : endpoints_) json["endpoints"][name] = endpoint.hash;
    return json.dump();
}

void Fleet::on_replica(const std::string& token, const std::optional<std::string>& text) {
    if (token == name_token(self_.id)) return;
    if (text) {
        Known known{replica_of(Json::parse(*text).value("id", token), *text), loop_.clock().now()};
        const std::lock_guard lock(mutex_);
        others_.insert_or_assign(token, std::move(known));
    } else {
        const std::lock_guard lock(mutex_);
        others_.erase(token);
    }
    tell_mismatches();
}

void Fleet::forget_silent() {
    std::vector<std::string> keys;
    {
        const std::lock_guard lock(mutex_);
        const TimePoint before = loop_.clock().now() - erased_after;
        for (const auto& [token, known] : others_) {
            if (known.seen_at < before) keys.push_back(std::string(replica_prefix) + token);
        }
    }
    for (const std::string& key : keys) board_.erase(key);
}

FleetView Fleet::view() const {
    const TimePoint now = loop_.clock().now();
    FleetView view;
    FleetReplica self;
    self.id = self_.id;
    self.host = self_.host;
    self.version = self_.version;
    self.started_at = started_at_;
    self.is_self = true;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, endpoint] : endpoints_) self.endpoints.emplace(name, endpoint.hash);
    view.replicas.push_back(std::move(self));
    std::map<std::string, FleetMismatch> mismatches;
    for (const auto& [token, known] : others_) {
        if (now - known.seen_at > silence_max) continue;
        const FleetReplica& other = known.replica;
        for (const auto& [name, endpoint] : endpoints_) {
            const auto found = other.endpoints.find(name);
            if (found == other.endpoints.end()) {
                mismatches[name].without.push_back(other.id);
            } else if (found->second != endpoint.hash) {
                mismatches[name].replicas.push_back(other.id);
            }
        }
        for (const auto& [name, hash] : other.endpoints) {
            if (!endpoints_.contains(name)) mismatches[name].without = {self_.id};
        }
        view.replicas.push_back(other);
        view.replicas.back().last_seen = now - known.seen_at;
    }
    for (auto& [name, mismatch] : mismatches) {
        mismatch.endpoint = name;
        view.mismatches.push_back(std::move(mismatch));
    }
    return view;
}

std::vector<std::string> Fleet::endpoints() const {
    std::vector<std::string> names;
    for (const FleetReplica& replica : view().replicas) {
        for (const auto& [name, hash] : replica.endpoints) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

/// Once for each change of what differs.
void Fleet::tell_mismatches() {
    std::string names;
    const FleetView seen = view();
    for (const FleetMismatch& mismatch : seen.mismatches) {
        if (!names.empty()) names += ", ";
        names += mismatch.endpoint;
    }
    if (names == std::exchange(told_, names)) return;
    if (names.empty()) {
        loop_.log().info("fleet", "endpoints are configured alike everywhere again", {});
    } else {
        loop_.log().warn("fleet", "endpoints are not configured alike everywhere",
                         {{"endpoints", names}, {"replicas", seen.replicas.size()}});
    }
}

}  // namespace fanfare
