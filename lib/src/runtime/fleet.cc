#include "runtime/fleet.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/exceptions.h"
#include "base/timestamp.h"
#include "fleet/name_token.h"
#include "runtime/fleet_keys.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::string_view pause_prefix = "pause.";
constexpr std::string_view resume_prefix = "resume.";
constexpr std::string_view hold_prefix = "hold.";
constexpr std::string_view removed_prefix = "removed.";

/// Beyond this a hold is not believed: somebody's clock is wrong.
constexpr Duration hold_max = std::chrono::hours(24);

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
void Fleet::at(const std::string& endpoint, std::function<void(Endpoint&)> work) {
    const std::shared_ptr<Endpoint> found = broadcaster_.find(endpoint);
    if (!found) return;
    net::post(found->shard().executor(), [found, work = std::move(work)] { work(*found); });
}

void Fleet::take(std::vector<FleetEndpoint> endpoints, FleetSettings queue) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        is_first = !std::exchange(has_begun_, true);
        queue_ = std::move(queue);
        endpoints_.clear();
        for (FleetEndpoint& endpoint : endpoints) {
            std::string name = endpoint.name;
            endpoints_.insert_or_assign(std::move(name), std::move(endpoint));
        }
    }
    post([is_first](Fleet& fleet) {
        if (is_first) return fleet.begin();
        fleet.pause_again();
        fleet.tell_receivers_again();
        if (fleet.is_read_) fleet.hold_again();
        fleet.show();
    });
}

void Fleet::begin() {
    const auto on_change = [alive = alive_,
                            executor = loop_.executor()](const Board::Change& change) {
        std::optional<std::string> text;
        if (change.text) text = std::string(*change.text);
        net::post(executor,
                  [alive, key = std::string(change.key), text = std::move(text), at = change.at] {
                      if (alive->fleet != nullptr) alive->fleet->on_change(key, text, at);
                  });
    };
    const auto on_read = [alive = alive_, executor = loop_.executor()] {
        net::post(executor, [alive] {
            if (alive->fleet != nullptr) alive->fleet->on_read();
        });
    };
    board_.watch(on_change, on_read);
    alarm_ = loop_.clock().make_alarm(loop_.executor());
    turn();
}

void Fleet::turn() {
    {
        const std::lock_guard lock(mutex_);
        if (has_left_) return;
    }
    show();
    say_again();
    if (alarm_) alarm_->set(loop_.clock().now() + beat, [this] { turn(); });
}

void Fleet::show() {
    {
        const std::lock_guard lock(mutex_);
        if (has_left_) return;
    }
    shown_ = text_of_self();
    board_.put(key_of(replica_prefix, self_.id), shown_);
    forget_silent();
    tell_mismatches();
}

/// What was shown before the board could be reached is lost, and after a while without it the
/// others take this process for gone.
void Fleet::on_read() {
    if (!std::exchange(is_read_, true)) hold_again();
    show();
}

void Fleet::on_change(const std::string& key, const std::optional<std::string>& text, WallTime at) {
    heard(key, text);
    try {
        if (key.starts_with(replica_prefix)) {
            on_replica(key.substr(replica_prefix.size()), text, at);
        } else if (key.starts_with(pause_prefix)) {
            on_pause(key.substr(pause_prefix.size()), text.has_value());
        } else if (key.starts_with(resume_prefix)) {
            on_resume(key.substr(resume_prefix.size()));
        } else if (key.starts_with(hold_prefix)) {
            on_hold(key.substr(hold_prefix.size()), text);
        } else if (key.starts_with(removed_prefix)) {
            on_removed(key.substr(removed_prefix.size()), text);
        } else {
            on_receiver(key, text);
        }
    } catch (...) {
        // Of a newer version, or somebody else's.
        loop_.log().warn("fleet", "what another process has told is not understood",
                         {{"key", key}, {"error", describe(std::current_exception())}});
    }
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
    if (!is_read_) return;  // it would end the first hold
    said_.erase(std::string(gone_prefix) + token);
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

/// Endpoints that begin are held if their names are, and only then.
void Fleet::hold_again() {
    std::vector<std::string> names;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, endpoint] : endpoints_) names.push_back(name);
    }
    for (const std::string& name : names) {
        const auto told = holds_.find(name_token(name));
        if (told != holds_.end() && is_by_other(told->second)) {
            const std::string text = told->second;
            on_hold(name_token(name), text);
        } else {
            at(name, [](Endpoint& endpoint) { endpoint.hold(Duration::zero()); });
        }
    }
}

bool Fleet::is_by_other(const std::string& hold) const {
    return Json::parse(hold).value("by", std::string()) != self_.id;
}

/// It may be from long ago: what was left of it when it was told counts at most, and clocks that
/// differ can make it shorter only.
void Fleet::on_hold(const std::string& token, const std::optional<std::string>& text) {
    holds_.erase(token);
    const std::string name = name_of(token);
    Duration left{};
    if (text) {
        const Json json = Json::parse(*text);
        const Duration told = milliseconds(json.value("milliseconds", std::int64_t{0}));
        const WallTime until = from_milliseconds(json.value("until", std::int64_t{0}));
        left = std::min<Duration>({told, until - loop_.clock().wall(), hold_max});
        if (left > Duration::zero()) {
            // Whoever tells of it tries first. If they are gone, not all others try at once.
            std::uniform_real_distribution<double> draw(1, 2);
            const auto grace = std::chrono::duration_cast<Duration>(hold_grace * draw(random_));
            left += attempt_limit(name) + grace;
        }
        holds_.emplace(token, *text);
        if (!is_by_other(*text)) return;
    }
    if (!name.empty() && is_read_) {
        at(name, [left](Endpoint& endpoint) { endpoint.hold(left); });
    }
}

void Fleet::pause(const std::string& endpoint) {
    post([endpoint](Fleet& fleet) {
        fleet.say(key_of(pause_prefix, endpoint), rfc3339(fleet.loop_.clock().wall()));
    });
}

void Fleet::resume(const std::string& endpoint) {
    post([endpoint](Fleet& fleet) {
        fleet.say(key_of(pause_prefix, endpoint), std::nullopt);
        fleet.board_.erase(key_of(hold_prefix, endpoint));
        fleet.say_back(endpoint, {});
        fleet.say(key_of(resume_prefix, endpoint), rfc3339(fleet.loop_.clock().wall()));
    });
}

/// The board tells of what was taken away only if it was there.
void Fleet::say(const std::string& key, std::optional<std::string> text) {
    if (text) board_.put(key, *text);
    if (!text) board_.erase(key);
    const auto before = said_.extract(key);
    const bool is_pause = key.starts_with(pause_prefix);
    const bool is_there =
        gone_.contains(key) || (is_pause && paused_.contains(key.substr(pause_prefix.size())));
    const bool was_there = !before.empty() || is_there;
    if (!text && !was_there) return;
    Said said{std::move(text), {}, loop_.clock().now()};
    if (!before.empty()) said.before = before.mapped().text;
    said_.emplace(key, std::move(said));
}

/// What somebody else has said since counts, but what was said here before is on its way still.
void Fleet::heard(const std::string& key, const std::optional<std::string>& text) {
    const auto said = said_.find(key);
    if (said == said_.end()) return;
    const bool is_older = said->second.text != text && said->second.before == text;
    if (!is_older) said_.erase(said);
}

/// What was said a moment ago may still be heard.
void Fleet::say_again() {
    const TimePoint before = loop_.clock().now() - beat / 2;
    std::map<std::string, Said> lost;
    for (const auto& [key, said] : said_) {
        if (said.at <= before) lost.emplace(key, said);
    }
    for (const auto& [key, said] : lost) say(key, said.text);
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
