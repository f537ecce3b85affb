#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fanfare/clock.h"

namespace fanfare {

/// `time` as RFC 3339 writes it, in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
std::string rfc3339(WallTime time);

/// The same with microseconds.
std::string rfc3339_micros(WallTime time);

/// Reads what RFC 3339 allows from the year 1970 to 2261: a fraction of a second is cut after
/// nanoseconds, a leap second is the next one.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace fanfare
