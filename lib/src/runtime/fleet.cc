#include "runtime/fleet.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/exceptions.h"
#include "base/timestamp.h"
#include "fleet/name_token.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::string_view replica_prefix = "replica.";
constexpr std::string_view pause_prefix = "pause.";
constexpr std::string_view resume_prefix = "resume.";
constexpr std::string_view hold_prefix = "hold.";
constexpr std::string_view removed_prefix = "removed.";

/// A process is erased by whoever sees that it has been silent for this long.
constexpr Duration erased_after = std::chrono::minutes(2);
/// Beyond this a hold is not believed: somebody's clock is wrong.
constexpr Duration hold_max = std::chrono::hours(24);

std::string key_of(std::string_view prefix, std::string_view name) {
    return std::string(prefix) + name_token(name);
}

std::int64_t to_milliseconds(WallTime time) {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

WallTime from_milliseconds(std::int64_t time) {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(milliseconds(time)));
}

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

Fleet::Fleet(Board& board, Broadcaster& broadcaster, Shard& loop, Self self)
    : board_(board),
      broadcaster_(broadcaster),
      loop_(loop),
      self_(std::move(self)),
      started_at_(loop.clock().wall()),
      alive_(std::make_shared<Alive>(Alive{this})),
      random_(std::random_device{}()) {}

Fleet::~Fleet() { alive_->fleet = nullptr; }

/// The loop may run it when this has gone: only where it does not turn any more is this destroyed.
template <class Work>
void Fleet::post(Work work) {
    net::post(loop_.executor(), [alive = alive_, work = std::move(work)] {
        if (alive->fleet != nullptr) work(*alive->fleet);
    });
}

/// On the endpoint's shard, if it is here.
template <class Work>
void Fleet::at(const std::string& endpoint, Work work) {
    const std::shared_ptr<Endpoint> found = broadcaster_.find(endpoint);
    if (!found) return;
    net::post(found->shard().executor(), [found, work = std::move(work)] { work(*found); });
}

void Fleet::take(std::vector<FleetEndpoint> endpoints) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        is_first = !std::exchange(has_begun_, true);
        endpoints_.clear();
        for (FleetEndpoint& endpoint : endpoints) {
            std::string name = endpoint.name;
            endpoints_.insert_or_assign(std::move(name), std::move(endpoint));
        }
    }
    post([is_first](Fleet& fleet) {
        if (is_first) return fleet.begin();
        fleet.pause_again();
        fleet.show();
    });
}

void Fleet::begin() {
    board_.watch([alive = alive_, executor = loop_.executor()](
                     std::string_view key, std::optional<std::string_view> text) {
        std::optional<std::string> copy;
        if (text) copy = std::string(*text);
        net::post(executor, [alive, key = std::string(key), copy = std::move(copy)] {
            if (alive->fleet != nullptr) alive->fleet->on_change(key, copy);
        });
    });
    alarm_ = loop_.clock().make_alarm(loop_.executor());
    turn();
}

void Fleet::turn() {
    {
        const std::lock_guard lock(mutex_);
        if (has_left_) return;
    }
    show();
    if (alarm_) alarm_->set(loop_.clock().now() + beat, [this] { turn(); });
}

void Fleet::show() {
    {
        const std::lock_guard lock(mutex_);
        if (has_left_) return;
    }
    board_.put(key_of(replica_prefix, self_.id), text_of_self());
    forget_silent();
    tell_mismatches();
}

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

void Fleet::on_change(const std::string& key, const std::optional<std::string>& text) {
    try {
        if (key.starts_with(replica_prefix)) {
            on_replica(key.substr(replica_prefix.size()), text);
        } else if (key.starts_with(pause_prefix)) {
            on_pause(key.substr(pause_prefix.size()), text.has_value());
        } else if (key.starts_with(resume_prefix)) {
            on_resume(key.substr(resume_prefix.size()));
        } else if (key.starts_with(hold_prefix)) {
            on_hold(key.substr(hold_prefix.size()), text);
        } else if (key.starts_with(removed_prefix)) {
            on_removed(key.substr(removed_prefix.size()), text);
        }
    } catch (...) {
        // Of a newer version, or somebody else's.
        loop_.log().warn("fleet", "what another process has told is not understood",
                         {{"key", key}, {"error", describe(std::current_exception())}});
    }
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

void Fleet::on_pause(const std::string& token, bool is_paused) {
    if (is_paused) {
        paused_.insert(token);
    } else {
        paused_.erase(token);
    }
    const std::string name = name_of(token);
    if (name.empty()) return;
    at(name, [is_paused](Endpoint& endpoint) { is_paused ? endpoint.pause() : endpoint.resume(); });
}

/// Also of what was not paused: a receiver that was gone, or asked for time.
void Fleet::on_resume(const std::string& token) {
    const std::string name = name_of(token);
    if (name.empty() || paused_.contains(token)) return;
    at(name, [](Endpoint& endpoint) { endpoint.resume(); });
}

/// Endpoints that have come, or come back, are paused if their names are.
void Fleet::pause_again() {
    for (const std::string& token : paused_) {
        const std::string name = name_of(token);
        if (!name.empty()) at(name, [](Endpoint& endpoint) { endpoint.pause(); });
    }
}

/// It may be from long ago: what was left of it when it was told counts at most, and clocks that
/// differ can make it shorter only.
void Fleet::on_hold(const std::string& token, const std::optional<std::string>& text) {
    const std::string name = name_of(token);
    if (name.empty()) return;
    Duration left{};
    if (text) {
        const Json json = Json::parse(*text);
        if (json.value("by", std::string()) == self_.id) return;
        const Duration told = milliseconds(json.value("milliseconds", std::int64_t{0}));
        const WallTime until = from_milliseconds(json.value("until", std::int64_t{0}));
        left = std::min<Duration>({told, until - loop_.clock().wall(), hold_max});
        if (left > Duration::zero()) {
            // Whoever tells of it tries first. If they are gone, not all others try at once.
            std::uniform_real_distribution<double> draw(1, 2);
            const auto grace = std::chrono::duration_cast<Duration>(hold_grace * draw(random_));
            left += attempt_limit(name) + grace;
        }
    }
    at(name, [left](Endpoint& endpoint) { endpoint.hold(left); });
}

void Fleet::pause(const std::string& endpoint) {
    board_.put(key_of(pause_prefix, endpoint), rfc3339(loop_.clock().wall()));
}

void Fleet::resume(const std::string& endpoint) {
    board_.erase(key_of(pause_prefix, endpoint));
    board_.erase(key_of(hold_prefix, endpoint));
    board_.put(key_of(resume_prefix, endpoint), rfc3339(loop_.clock().wall()));
}

void Fleet::held(std::string_view endpoint, Duration how_long) noexcept {
    try {
        const Duration told = std::min(how_long, hold_max);
        Json json;
        json["endpoint"] = endpoint;
        json["by"] = self_.id;
        json["milliseconds"] = std::chrono::duration_cast<milliseconds>(told).count();
        json["until"] = to_milliseconds(loop_.clock().wall() +
                                        std::chrono::duration_cast<WallTime::duration>(told));
        board_.put(key_of(hold_prefix, endpoint), json.dump());
    } catch (...) {
        // The others find out for themselves.
    }
}

void Fleet::let_go(std::string_view endpoint) noexcept {
    try {
        board_.erase(key_of(hold_prefix, endpoint));
    } catch (...) {
        // The others find out for themselves.
    }
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
            if (!endpoints_.contains(name)) mismatches[name].replicas.push_back(other.id);
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

void Fleet::leave() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(has_left_, true) || !has_begun_) return;
    }
    board_.erase(key_of(replica_prefix, self_.id));
    // An alarm that is set keeps the loop from coming to its end.
    post([](Fleet& fleet) {
        fleet.alarm_.reset();
        fleet.places_alarm_.reset();
    });
}

std::string Fleet::name_of(const std::string& token) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, endpoint] : endpoints_) {
        if (name_token(name) == token) return name;
    }
    return {};
}

Duration Fleet::attempt_limit(const std::string& endpoint) const {
    const std::lock_guard lock(mutex_);
    const auto found = endpoints_.find(endpoint);
    return found == endpoints_.end() ? Duration::zero() : found->second.attempt_limit;
}

}  // namespace fanfare
