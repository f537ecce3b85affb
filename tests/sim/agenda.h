#pragma once

#include <functional>
#include <map>
#include <utility>

#include "support/manual_clock.h"

namespace fanfare::sim {

/// What the world outside the daemon has before it: answers under way, changes of mood.
class Agenda {
  public:
    void add(TimePoint at, std::function<void()> work) { entries_.emplace(at, std::move(work)); }

    /// Moves `clock` on by `step` and does what falls due. What `context` has to do at a moment is
    /// done before the world goes on.
    void pass(Duration step, test::ManualClock& clock, net::io_context& context) {
        const TimePoint end = clock.now() + step;
        while (!entries_.empty() && entries_.begin()->first <= end) {
            const TimePoint at = std::max(entries_.begin()->first, clock.now());
            clock.advance(at - clock.now(), context);
            // It may have got an earlier entry meanwhile, which is then due at once.
            const std::function<void()> work = std::move(entries_.begin()->second);
            entries_.erase(entries_.begin());
            work();
        }
        clock.advance(end - clock.now(), context);
    }

  private:
    std::multimap<TimePoint, std::function<void()>> entries_;
};

}  // namespace fanfare::sim
