#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

inline constexpr std::uint64_t kib = 1024;
inline constexpr std::uint64_t mib = 1024 * kib;
inline constexpr std::uint64_t gib = 1024 * mib;
inline constexpr std::uint64_t tib = 1024 * gib;

/// Reads a Go-style duration, which always has a unit: `500ms`, `1m1.5s`, `-2h`; units ns, us, µs,
/// ms, s, m, h. What lies beyond ± 292 years is refused. `expected` ends the message of a refusal:
/// `"5" has no unit; expected a duration, e.g. "5s"`.
Result<Duration> parse_duration(std::string_view text, std::string_view expected = "a duration");

/// Reads a number of bytes: plain, or with one of the units B, KiB, MiB, GiB, TiB, KB, MB, GB, TB
/// (`64KiB`, `1.5GiB`). `expected` as above.
Result<std::uint64_t> parse_size(std::string_view text, std::string_view expected = "a size");

/// The shortest text that parse_duration() reads back as `duration`: `0s`, `1h30m`, `1m1.5s`.
std::string format_duration(Duration duration);

/// The text with the largest binary unit that divides `bytes`: `4MiB`, `1000`.
std::string format_size(std::uint64_t bytes);

/// `text` between double quotes, fit for one line of a message: control characters and what is no
/// UTF-8 become `?`, and only the first 60 characters stay.
std::string in_quotes(std::string_view text);

}  // namespace fanfare
