#pragma once

#include "fanfare/clock.h"

namespace fanfare {

/// Wall time that does not step: what the wall clock showed when this was made, and the steady
/// clock since then. For times that are stored: a clock that is set while events wait makes none of
/// them older or younger. Any thread.
class SteadyWall {
  public:
    explicit SteadyWall(const Clock& clock) : steady_(clock.now()), wall_(clock.wall()) {}

    WallTime wall(TimePoint at) const noexcept {
        return wall_ + std::chrono::duration_cast<WallTime::duration>(at - steady_);
    }
    TimePoint steady(WallTime at) const noexcept {
        return steady_ + std::chrono::duration_cast<TimePoint::duration>(at - wall_);
    }

  private:
    const TimePoint steady_;
    const WallTime wall_;
};

}  // namespace fanfare
