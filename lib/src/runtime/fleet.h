#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/broadcaster.h"
#include "fanfare/log.h"
#include "fleet/board.h"
#include "fleet/shared_log.h"

namespace fanfare {

/// What a process says of one of its endpoints.
struct FleetEndpoint {
    std::string name;
    std::string hash;          ///< of its configuration, equal where that is
    Duration attempt_limit{};  ///< how long an attempt may take
};

/// What a process says of the queue that all share: values by key, as a person would write them.
using FleetSettings = std::map<std::string, std::string>;

/// A process of the fleet, as the others see it.
struct FleetReplica {
    std::string id;
    std::string host;
    std::string version;
    WallTime started_at{};
    Duration last_seen{};  ///< so long ago
    bool is_self = false;
    std::map<std::string, std::string> endpoints;  ///< hashes by name
    FleetSettings queue;                           ///< empty: it does not say
};

/// An endpoint, or the queue, that is not configured alike everywhere.
struct FleetMismatch {
    std::string endpoint;               ///< empty: it is the queue
    std::vector<std::string> settings;  ///< of the queue: those that differ
    /// That have another configuration than this process, or, if that does not have the endpoint,
    /// than the first one in `replicas` of the view that has.
    std::vector<std::string> replicas;
    std::vector<std::string> without;  ///< all that do not have it, this one included
};

struct FleetView {
    std::vector<FleetReplica> replicas;  ///< this one first
    std::vector<FleetMismatch> mismatches;
};

/// This process among the others that work off the same queue: tells them that it is there, what
/// its configuration is, what operators have paused, and which receivers are best left alone; and
/// does here what they tell. Any thread. All it works with is done on `loop`.
class Fleet final : public HoldNews {
  public:
    /// How often a process shows that it is there, and after how long a silence it is not.
    static constexpr Duration beat = std::chrono::seconds(10);
    static constexpr Duration silence_max = std::chrono::seconds(35);
    /// For so long beyond a hold, and what an attempt may take, others wait for news of it.
    static constexpr Duration hold_grace = std::chrono::seconds(2);
    /// Endpoints begin held until the board has been read, as they may be paused, but not for
    /// longer than this.
    static constexpr Duration first_hold = std::chrono::seconds(30);
    /// How often places are looked at that no process may have any more.
    static constexpr Duration places_interval = std::chrono::minutes(1);

    struct Self {
        std::string id;
        std::string host;
        std::string version;
    };

    /// Board, broadcaster, clock and log must outlive it, and so must `loop` what it has begun.
    Fleet(Board& board, Broadcaster& broadcaster, Shard& loop, Self self);
    ~Fleet() override;

    /// Endpoints, and settings of the queue, from now on. The first call begins it all.
    void take(std::vector<FleetEndpoint> endpoints, FleetSettings queue = {});

    /// Once: places in `log` of endpoints that no process has any more are taken away after
    /// `grace`. It must outlive this.
    void keep_places(SharedLog& log, Duration grace);

    /// An operator's word. It holds for all processes, also for such as start later, and is said
    /// again until the board has it.
    void pause(const std::string& endpoint);
    void resume(const std::string& endpoint);

    void held(std::string_view endpoint, Duration how_long) noexcept override;
    void let_go(std::string_view endpoint) noexcept override;
    void gone(std::string_view endpoint) noexcept override;
    void back(std::string_view endpoint) noexcept override;
    void down(std::string_view endpoint, Duration ago) noexcept override;
    void up(std::string_view endpoint) noexcept override;

    FleetView view() const;
    /// What some process has of late, this one included.
    std::vector<std::string> endpoints() const;

    /// The others are told that it is not there any more. Nothing is told or done after this.
    void leave();

  private:
    struct Known {
        FleetReplica replica;
        WallTime shown_at{};  ///< by the board's clock
        TimePoint seen_at{};  ///< the same by this process's
        TimePoint heard_at{};
    };
    /// A moment by both clocks.
    struct BoardTime {
        WallTime board{};
        TimePoint here{};
    };
    /// Handlers on their way find nothing once this is gone.
    struct Alive {
        Fleet* fleet;
    };

    // On the loop.
    void begin();
    void turn();
    void show();
    void on_read();
    void on_change(const std::string& key, const std::optional<std::string>& text, WallTime at);
    void on_replica(const std::string& token, const std::optional<std::string>& text, WallTime at);
    void on_self(const std::optional<std::string>& text, WallTime at);
    TimePoint when(WallTime shown_at) const;
    void on_pause(const std::string& token, bool is_paused);
    void on_resume(const std::string& token);
    void on_hold(const std::string& token, const std::optional<std::string>& text);
    void on_receiver(const std::string& key, const std::optional<std::string>& text);
    void on_gone(const std::string& key, const std::optional<std::string>& text);
    void on_health(const std::string& key, const std::optional<std::string>& text);
    void tell_receivers_again();
    void say_gone(const std::string& endpoint, Duration ago);
    void say_back(const std::string& endpoint, Duration ago);
    void say_down(const std::string& endpoint, Duration ago);
    void say_up(const std::string& endpoint, Duration ago);
    void say_later(void (Fleet::*what)(const std::string&, Duration), std::string_view endpoint,
                   Duration ago = {}) noexcept;
    std::string hash_of(const std::string& endpoint) const;
    void look_at_places();
    void on_places(const std::vector<std::string>& places);
    void on_orphan(const std::string& endpoint);
    void on_removed(const std::string& token, const std::optional<std::string>& text);
    void pause_again();
    void hold_again();
    bool is_by_other(const std::string& hold) const;
    void say(const std::string& key, std::optional<std::string> text);
    void say_again();
    void heard(const std::string& key, const std::optional<std::string>& text);
    void forget_silent();
    void tell_mismatches();
    void tell_endpoints(const FleetView& seen);
    void tell_settings(const FleetView& seen);

    FleetReplica self() const;
    std::string text_of_self() const;
    std::string name_of(const std::string& token) const;  // empty: it is not here
    Duration attempt_limit(const std::string& endpoint) const;
    void at(const std::string& endpoint, std::function<void(Endpoint&)> work);
    template <class Work>
    void post(Work work);

    Board& board_;
    Broadcaster& broadcaster_;
    Shard& loop_;
    const Self self_;
    const WallTime started_at_;
    const std::shared_ptr<Alive> alive_;
    // The loop's.
    std::unique_ptr<Alarm> alarm_;
    std::minstd_rand random_;
    std::string told_;                          // of mismatches of endpoints
    std::string told_settings_;                 // of the queue's
    std::string shown_;                         // of itself, last
    std::optional<BoardTime> board_time_;       // when the board has told of that
    bool is_read_ = false;                      // the board
    std::set<std::string> paused_;              // tokens
    std::map<std::string, std::string> holds_;  // by token: as they are told
    std::set<std::string> gone_;                // keys: the board says that a receiver is gone
    std::set<std::string> down_;                // keys: some process wants to hear of a success
    /// What has been said and not been heard from the board yet, by key.
    struct Said {
        std::optional<std::string> text;
        std::optional<std::optional<std::string>> before;  ///< what this has replaced, if anything
        TimePoint at{};
    };
    std::map<std::string, Said> said_;
    SharedLog* places_ = nullptr;  // null: nobody looks at them
    Duration grace_{};
    std::unique_ptr<Alarm> places_alarm_;
    std::map<std::string, WallTime> removed_;  // by token: since when no process has it

    mutable std::mutex mutex_;
    bool has_begun_ = false;
    bool has_left_ = false;
    std::map<std::string, FleetEndpoint> endpoints_;
    FleetSettings queue_;
    std::map<std::string, Known> others_;
};

}  // namespace fanfare
