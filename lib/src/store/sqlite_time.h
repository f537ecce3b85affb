#pragma once

#include <cstdint>

#include "fanfare/clock.h"

namespace fanfare {

/// Wall time as it stands in the file of events: microseconds since 1970.
inline std::int64_t number_of(WallTime time) {
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

inline WallTime time_of(std::int64_t number) { return WallTime(std::chrono::microseconds(number)); }

}  // namespace fanfare
