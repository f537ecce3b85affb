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
        Sabotage sabotage = Sabotage::none;
    };

    explicit World(const Options& options);
    ~World();

    void run();

    const Story& story() const noexcept { return story_; }
    std::uint64_t events() const noexcept { return written_; }

  private:
    struct Chain {
        std::shared_ptr<Endpoint> endpoint;
        std::unique_ptr<Ledger> ledger;
    };
    using Weights = std::vector<std::pair<unsigned, void (World::*)()>>;

    // world.cc
    void set_up();
    void step();
    void settle();
    void pass(Duration step);
    void check();
    void heal();
    void shut_down(Duration limit);
    bool is_all_done() const;

    // world_acts.cc
    void burst();
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
    std::uint64_t ids_ = 0;
    unsigned names_ = 0;
    // Of a daemon: gone after a crash.
    std::unique_ptr<Daemon> daemon_;
    std::vector<Chain> chains_;
    std::vector<std::pair<std::unique_ptr<test::Running<Snapshot>>, std::uint64_t>> snapshots_;
};

}  // namespace fanfare::sim
