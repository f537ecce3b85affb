// Who is there, and what is configured where.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
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
    replica.queue = json.value("queue", FleetSettings());
    return replica;
}

std::vector<FleetMismatch> endpoint_mismatches(const std::vector<FleetReplica>& replicas) {
    std::map<std::string, std::string> hashes;  // of the first that has it
    for (const FleetReplica& replica : replicas) {
        hashes.insert(replica.endpoints.begin(), replica.endpoints.end());
    }
    std::vector<FleetMismatch> mismatches;
    for (const auto& [name, hash] : hashes) {
        FleetMismatch mismatch;
        mismatch.endpoint = name;
        for (const FleetReplica& replica : replicas) {
            const auto found = replica.endpoints.find(name);
            if (found == replica.endpoints.end()) {
                mismatch.without.push_back(replica.id);
            } else if (found->second != hash) {
                mismatch.replicas.push_back(replica.id);
            }
        }
        const bool is_alike = mismatch.replicas.empty() && mismatch.without.empty();
        if (!is_alike) mismatches.push_back(std::move(mismatch));
    }
    return mismatches;
}

/// Only what both say counts: processes of another version may say more, or less.
std::optional<FleetMismatch> queue_mismatch(const std::vector<FleetReplica>& replicas) {
    const FleetSettings& own = replicas.front().queue;
    std::set<std::string> settings;
    FleetMismatch mismatch;
    for (const FleetReplica& replica : replicas) {
        bool is_alike = true;
        for (const auto& [key, value] : replica.queue) {
            const auto found = own.find(key);
            if (found == own.end() || found->second == value) continue;
            is_alike = false;
            settings.insert(key);
        }
        if (!is_alike) mismatch.replicas.push_back(replica.id);
    }
    if (settings.empty()) return std::nullopt;
    mismatch.settings.assign(settings.begin(), settings.end());
    return mismatch;
}

std::string comma_list(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

}  // namespace

FleetReplica Fleet::self() const {
    FleetReplica replica;
    replica.id = self_.id;
    replica.host = self_.host;
    replica.version = self_.version;
    replica.started_at = started_at_;
    replica.is_self = true;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, endpoint] : endpoints_) replica.endpoints.emplace(name, endpoint.hash);
    replica.queue = queue_;
    return replica;
}

std::string Fleet::text_of_self() const {
    const FleetReplica replica = self();
    Json json;
    json["id"] = replica.id;
    json["host"] = replica.host;
    json["version"] = replica.version;
    json["started"] = to_milliseconds(replica.started_at);
    json["seen"] = rfc3339(loop_.clock().wall());
    json["endpoints"] = Json::object();
    for (const auto& [name, hash] : replica.endpoints) json["endpoints"][name] = hash;
    if (!replica.queue.empty()) json["queue"] = replica.queue;
    return json.dump();
}

/// What lies on the board may be from long ago. How long is known by the board's own clock, as soon
/// as it has told of what this process has shown: those of machines need not agree. Until then this
/// process's own must do.
TimePoint Fleet::when(WallTime shown_at) const {
    const TimePoint now = loop_.clock().now();
    if (shown_at == WallTime()) return now;
    const WallTime board_now =
        board_time_ ? board_time_->board +
                          std::chrono::duration_cast<WallTime::duration>(now - board_time_->here)
                    : loop_.clock().wall();
    return board_now > shown_at ? now - (board_now - shown_at) : now;
}

/// Only of what was shown last is it known when that was: all else is from before.
void Fleet::on_self(const std::optional<std::string>& text, WallTime at) {
    if (text != shown_ || at == WallTime()) return;
    const bool is_first = !board_time_;
    board_time_ = BoardTime{at, loop_.clock().now()};
    if (!is_first) return;
    const std::lock_guard lock(mutex_);
    for (auto& [token, known] : others_) known.seen_at = when(known.shown_at);
}

void Fleet::on_replica(const std::string& token, const std::optional<std::string>& text,
                       WallTime at) {
    if (token == name_token(self_.id)) {
        on_self(text, at);
    } else if (text) {
        const TimePoint now = loop_.clock().now();
        // What is heard as it is shown is of now, whatever clock the servers have.
        const TimePoint shown = is_read_ ? now : when(at);
        Known known{replica_of(Json::parse(*text).value("id", token), *text), at, shown, now};
        const std::lock_guard lock(mutex_);
        others_.insert_or_assign(token, std::move(known));
    } else {
        const std::lock_guard lock(mutex_);
        others_.erase(token);
    }
    tell_mismatches();
}

/// What is erased wrongly would be missed by all, so no clock but this process's counts.
void Fleet::forget_silent() {
    std::vector<std::string> keys;
    {
        const std::lock_guard lock(mutex_);
        const TimePoint before = loop_.clock().now() - erased_after;
        for (const auto& [token, known] : others_) {
            if (known.heard_at < before) keys.push_back(std::string(replica_prefix) + token);
        }
    }
    for (const std::string& key : keys) board_.erase(key);
}

FleetView Fleet::view() const {
    const TimePoint now = loop_.clock().now();
    FleetView view;
    view.replicas.push_back(self());
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [token, known] : others_) {
            if (now - known.seen_at > silence_max) continue;
            view.replicas.push_back(known.replica);
            view.replicas.back().last_seen = now - known.seen_at;
        }
    }
    view.mismatches = endpoint_mismatches(view.replicas);
    if (auto queue = queue_mismatch(view.replicas)) view.mismatches.push_back(std::move(*queue));
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
    const FleetView seen = view();
    tell_endpoints(seen);
    tell_settings(seen);
}

void Fleet::tell_endpoints(const FleetView& seen) {
    std::vector<std::string> endpoints;
    for (const FleetMismatch& mismatch : seen.mismatches) {
        if (!mismatch.endpoint.empty()) endpoints.push_back(mismatch.endpoint);
    }
    const std::string names = comma_list(endpoints);
    if (names == std::exchange(told_, names)) return;
    if (names.empty()) {
        loop_.log().info("fleet", "endpoints are configured alike everywhere again", {});
    } else {
        loop_.log().warn("fleet", "endpoints are not configured alike everywhere",
                         {{"endpoints", names}, {"replicas", seen.replicas.size()}});
    }
}

void Fleet::tell_settings(const FleetView& seen) {
    std::string keys;
    for (const FleetMismatch& mismatch : seen.mismatches) {
        if (mismatch.endpoint.empty()) keys = comma_list(mismatch.settings);
    }
    if (keys == std::exchange(told_settings_, keys)) return;
    if (keys.empty()) {
        loop_.log().info("fleet", "the queue is configured alike everywhere again", {});
    } else {
        loop_.log().warn("fleet", "the queue is not configured alike everywhere",
                         {{"keys", keys}, {"replicas", seen.replicas.size()}});
    }
}

}  // namespace fanfare
