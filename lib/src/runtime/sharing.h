#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <set>

#include "fanfare/broadcaster.h"
#include "fleet/shared_log.h"

namespace fanfare {

/// A Broadcaster's side of a shared log. Any thread.
struct Broadcaster::Sharing {
    Sharing(SharedLog& shared, const SteadyWall& clock) : log(shared), times(clock) {}

    /// One append more is under way. Returns its name for end().
    std::uint64_t begin();
    void end(std::uint64_t append, Stored result);

    /// `on_stored` is called when all has ended that is under way now: with the first thing that
    /// went wrong then, if anything does.
    void wait(OnStored on_stored);

    SharedLog& log;
    const SteadyWall& times;

  private:
    struct Waiter {
        std::uint64_t until;
        Stored result = Stored::stored;
        OnStored on_stored;
    };
    std::list<Waiter> take_ready();

    std::mutex mutex_;
    std::uint64_t last_ = 0;
    std::set<std::uint64_t> under_way_;
    std::list<Waiter> waiters_;
};

}  // namespace fanfare
