#pragma once

#include <optional>
#include <string_view>

#include "fanfare/clock.h"

namespace fanfare {

/// How long a `Retry-After` field (RFC 9110, 10.2.3) asks to wait: a number of seconds, or a date,
/// taken by the answer's own `Date` if that can be read, else by `now`, so that a receiver's clock
/// may be wrong. Zero if the date has passed; nothing if it is neither. At most 292 years.
std::optional<Duration> parse_retry_after(std::string_view field, std::string_view date,
                                          WallTime now);

/// A date in one of the three forms of RFC 9110, 5.6.7. `now` tells the century of a year of two
/// digits.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);

}  // namespace fanfare
