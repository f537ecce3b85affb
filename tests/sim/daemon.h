#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "fanfare/broadcaster.h"
#include "runtime/steady_wall.h"
#include "sim/ledger.h"
#include "sim/sabotage.h"
#include "sim/sim_store.h"
#include "sim/web.h"
#include "store/journal.h"

namespace fanfare::sim {

/// The real thing: all that a crash would end. One loop, which the world turns.
class Daemon {
  public:
    struct Options {
        test::ManualClock& clock;
        Web::World web;
        unsigned shards = 1;
        Sabotage sabotage = Sabotage::none;
        Random& sabotage_random;
        SimStore* store = nullptr;  ///< null: all is in memory
        std::function<void()> on_broken;
    };

    explicit Daemon(const Options& options);

    std::shared_ptr<Endpoint> make_endpoint(const Plan& plan, Ledger& ledger);
    EndpointOptions endpoint_options(const Plan& plan, Ledger& ledger);

    net::io_context& context() noexcept { return context_; }
    Broadcaster& broadcaster() noexcept { return *broadcaster_; }
    Web& web() noexcept { return *web_; }
    // Where there is a store.
    Journal& journal() noexcept { return *journal_; }
    const SteadyWall& times() const noexcept { return times_; }

  private:
    SinkMaker make_sink(const Plan& plan, Ledger& ledger);
    std::unique_ptr<Queue> make_queue(const Plan& plan);
    void place(EndpointOptions& options, const Plan& plan, Shard& shard);
    void take_log_line(std::string_view line);
    bool is(Sabotage how) const noexcept { return options_.sabotage == how; }

    const Options options_;
    net::io_context context_{1};
    SteppingClock stepping_clock_;
    const SteadyWall times_;
    Log log_;
    std::unique_ptr<Web> web_;
    std::vector<std::unique_ptr<DeadLetterBox>> boxes_;
    std::unique_ptr<Journal> journal_;
    std::deque<Shard> shards_;
    std::unique_ptr<Broadcaster> broadcaster_;
};

}  // namespace fanfare::sim
