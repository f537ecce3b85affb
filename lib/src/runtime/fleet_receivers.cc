// What processes tell each other of receivers: that one is gone, and that one is well which some
// process has seen fail.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "runtime/fleet.h"
#include "runtime/fleet_keys.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// Longer ago makes no difference.
constexpr Duration ago_max = std::chrono::hours(24);

std::string name_token_of(const std::string& key) { return key.substr(key.find('.') + 1); }

}  // namespace

void Fleet::gone(std::string_view endpoint) noexcept { say_later(&Fleet::say_gone, endpoint); }
void Fleet::back(std::string_view endpoint) noexcept { say_later(&Fleet::say_back, endpoint); }
void Fleet::up(std::string_view endpoint) noexcept { say_later(&Fleet::say_up, endpoint); }
void Fleet::down(std::string_view endpoint, Duration ago) noexcept {
    say_later(&Fleet::say_down, endpoint, ago);
}

void Fleet::say_later(void (Fleet::*what)(const std::string&, Duration), std::string_view endpoint,
                      Duration ago) noexcept {
    try {
        net::post(loop_.executor(), [alive = alive_, what, name = std::string(endpoint), ago] {
            if (alive->fleet != nullptr) (alive->fleet->*what)(name, ago);
        });
    } catch (...) {
        // The others find out for themselves.
    }
}

void Fleet::say_gone(const std::string& endpoint, Duration) {
    Json json;
    json["endpoint"] = endpoint;
    json["by"] = self_.id;
    json["hash"] = hash_of(endpoint);
    say(key_of(gone_prefix, endpoint), json.dump());
}

void Fleet::say_back(const std::string& endpoint, Duration) {
    say(key_of(gone_prefix, endpoint), std::nullopt);
}

void Fleet::say_down(const std::string& endpoint, Duration ago) {
    Json json;
    json["endpoint"] = endpoint;
    json["by"] = self_.id;
    json["is"] = "down";
    json["ago"] = std::chrono::duration_cast<std::chrono::milliseconds>(ago).count();
    json["at"] = to_milliseconds(loop_.clock().wall());
    say(key_of(health_prefix, endpoint), json.dump());
}

void Fleet::say_up(const std::string& endpoint, Duration) {
    Json json;
    json["endpoint"] = endpoint;
    json["by"] = self_.id;
    json["is"] = "up";
    json["at"] = to_milliseconds(loop_.clock().wall());
    say(key_of(health_prefix, endpoint), json.dump());
}

void Fleet::on_receiver(const std::string& key, const std::optional<std::string>& text) {
    if (key.starts_with(gone_prefix)) {
        on_gone(key, text);
    } else if (key.starts_with(health_prefix)) {
        on_health(key, text);
    }
}

/// A process that starts, or has other settings, finds out for itself: the receiver may be another.
void Fleet::on_gone(const std::string& key, const std::optional<std::string>& text) {
    const std::string name = name_of(name_token_of(key));
    if (!text) {
        gone_.erase(key);
        return at(name, [](Endpoint& endpoint) { endpoint.take_back(); });
    }
    gone_.insert(key);
    if (!is_read_ || !is_by_other(*text)) return;
    const std::string hash = Json::parse(*text).value("hash", std::string());
    if (name.empty() || hash != hash_of(name)) return;
    at(name, [](Endpoint& endpoint) { endpoint.take_gone(); });
}

void Fleet::on_health(const std::string& key, const std::optional<std::string>& text) {
    down_.erase(key);
    if (!text) return;
    const Json json = Json::parse(*text);
    const bool is_down = json.value("is", std::string()) == "down";
    if (is_down) down_.insert(key);
    if (is_by_other(*text)) {
        const std::chrono::milliseconds told(json.value("ago", std::int64_t{0}));
        const Duration ago = std::clamp<Duration>(told, Duration::zero(), ago_max);
        at(name_of(name_token_of(key)), [is_down, ago](Endpoint& endpoint) {
            if (is_down) return endpoint.down_elsewhere(ago);
            endpoint.up_elsewhere();
        });
    }
}

/// Endpoints that have come, or come back.
void Fleet::tell_receivers_again() {
    for (const std::string& key : down_) {
        at(name_of(name_token_of(key)),
           [](Endpoint& endpoint) { endpoint.down_elsewhere(Duration::zero()); });
    }
}

std::string Fleet::hash_of(const std::string& endpoint) const {
    const std::lock_guard lock(mutex_);
    const auto found = endpoints_.find(endpoint);
    return found == endpoints_.end() ? std::string() : found->second.hash;
}

}  // namespace fanfare
