// What becomes of the places of endpoints that no process has any more.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "fleet/name_token.h"
#include "runtime/fleet.h"
#include "runtime/fleet_keys.h"

namespace fanfare {
namespace {

std::string key_of(const std::string& token) { return "removed." + token; }

}  // namespace

void Fleet::keep_places(SharedLog& log, Duration grace) {
    places_ = &log;
    grace_ = grace;
    net::post(loop_.executor(), [alive = alive_] {
        if (alive->fleet == nullptr) return;
        Fleet& fleet = *alive->fleet;
        fleet.places_alarm_ = fleet.loop_.clock().make_alarm(fleet.loop_.executor());
        // By then all other processes have been heard of.
        const TimePoint first = fleet.loop_.clock().now() + std::max(silence_max, places_interval);
        fleet.places_alarm_->set(first, [&fleet] { fleet.look_at_places(); });
    });
}

void Fleet::look_at_places() {
    {
        const std::lock_guard lock(mutex_);
        if (has_left_) return;
    }
    places_alarm_->set(loop_.clock().now() + places_interval, [this] { look_at_places(); });
    places_->places([alive = alive_,
                     executor = loop_.executor()](std::optional<std::vector<std::string>> places) {
        if (!places) return;
        net::post(executor, [alive, places = std::move(*places)] {
            if (alive->fleet != nullptr) alive->fleet->on_places(places);
        });
    });
}

void Fleet::on_places(const std::vector<std::string>& places) {
    const std::vector<std::string> wanted = endpoints();
    for (const std::string& endpoint : places) {
        const bool is_wanted = std::binary_search(wanted.begin(), wanted.end(), endpoint);
        const std::string token = name_token(endpoint);
        if (!is_wanted) {
            on_orphan(endpoint);
        } else if (removed_.contains(token)) {
            board_.erase(key_of(token));
        }
    }
}

/// Any process may be the one that takes it away; the time counts from when the first has seen it.
void Fleet::on_orphan(const std::string& endpoint) {
    const std::string token = name_token(endpoint);
    const WallTime now = loop_.clock().wall();
    const auto found = removed_.find(token);
    if (found == removed_.end()) {
        const auto since =
            std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
        board_.put(key_of(token), std::to_string(since.count()));
        return;
    }
    if (now - found->second < grace_) return;
    loop_.log().warn("fleet", "the backlog of a removed endpoint is given up",
                     {{"endpoint", endpoint}});
    places_->forget(endpoint, [alive = alive_, executor = loop_.executor(), token](bool is_done) {
        if (!is_done) return;
        net::post(executor, [alive, token] {
            if (alive->fleet == nullptr) return;
            Board& board = alive->fleet->board_;
            board.erase(key_of(token));
            board.erase(std::string(gone_prefix) + token);
            board.erase(std::string(health_prefix) + token);
        });
    });
}

void Fleet::on_removed(const std::string& token, const std::optional<std::string>& text) {
    if (!text) {
        removed_.erase(token);
        return;
    }
    const std::chrono::milliseconds since(std::stoll(*text));
    removed_.insert_or_assign(token,
                              WallTime(std::chrono::duration_cast<WallTime::duration>(since)));
}

}  // namespace fanfare
