#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/agenda.h"
#include "sim/daemon.h"
#include "sim/ledger.h"
#include "sim/receiver.h"
#include "support/run.h"

namespace fanfare::sim {

/// One run: what a seed decides happens around a daemon, whose books are checked all the time.
/// What is here outlives a crash.
class World {
  public:
    struct Options {
        std::uint64_t seed = 1;
        bool is_verbose = false;
        /// How many of the endpoints are reached through HTTP, which takes longer to simulate.
        unsigned http_percent = 0;
        /// The queues are on a disk, and the daemon crashes.
        bool is_durable = false;
        Sabotage sabotage = Sabotage::none;
    };

    explicit World(const Options& options);
    ~World();

    void run();

    const Story& story() const noexcept { return story_; }
    std::uint64_t events() const noexcept { return ids_; }

  private:
    struct Chain {
        std::shared_ptr<Endpoint> endpoint;
        std::unique_ptr<Ledger> ledger;
    };
    using Weights = std::vector<std::pair<unsigned, void (World::*)()>>;

    // world.cc
    void set_up();
    void start_daemon();
    void step();
    void settle();
    void pass(Duration step);
    void check();
    void heal();
    void shut_down(Duration limit);
    bool is_all_done() const;

    // world_acts.cc
    void burst();
    void turn_a_little();
    void write();
    void reload();
    void snapshot_now();
    void pause();
    void resume();
    void purge();
    void replay();
    void step_wall_clock();
    void change_moods();
    void lose_names();
    std::shared_ptr<Event> make_event();
    Chain* pick_chain();
    void add_chain(EndpointChanges& changes);
    void check_conserved(const Snapshot& snapshot, std::uint64_t written);
    Duration draw_wait();

    // world_disk.cc
    /// Events on their way to the disk.
    struct Storing {
        std::vector<std::shared_ptr<Event>> events;
        /// Who is offered them, and which of them it wants.
        std::vector<std::pair<Ledger*, std::vector<bool>>> routes;
        std::optional<Broadcaster::Stored> result;
        bool is_taken = false;
        bool is_void = false;  // nobody hears of them any more
    };
    void store(std::vector<std::shared_ptr<Event>> events);
    void on_stored(Storing& storing, Broadcaster::Stored result);
    void crash();
    void restart_in_order();
    void restart(bool is_orderly);
    void end_daemon();
    void note_unknown();
    void bring_back(Chain& chain, const Ledger& before, bool is_orderly);
    Chain* find_removed(const std::string& name);
    void keep_letters();
    void fill_disk();
    void break_disk();
    static std::string key_of(const Event& event);

    const Options options_;
    Random random_;
    Random sabotage_random_;
    test::ManualClock clock_;
    Story story_;
    Agenda agenda_{clock_};
    std::vector<Receiver> receivers_;
    std::unordered_map<std::string, std::string> payloads_;  // by id
    PlanLimits plan_limits_;
    std::uint64_t written_ = 0;
    std::unique_ptr<SimStore> store_;  // null: all is in memory
    bool is_ending_ = false;           // the daemon, in order
    bool is_broken_ = false;           // the store
    TimePoint broken_at_ = TimePoint::max();
    bool has_stepped_ = false;  // the wall clock, since the daemon began
    std::uint64_t stored_ = 0;  // since then
    std::vector<std::shared_ptr<Storing>> storing_;
    std::map<std::string, std::map<std::uint64_t, Item>> unknown_;  // by endpoint and seq
    std::uint64_t ids_ = 0;
    unsigned names_ = 0;
    // Of a daemon: gone after a crash.
    std::unique_ptr<Daemon> daemon_;
    std::vector<Chain> chains_;
    std::vector<Chain> graveyard_;
    std::vector<std::pair<std::unique_ptr<test::Running<Snapshot>>, std::uint64_t>> snapshots_;
};

}  // namespace fanfare::sim
