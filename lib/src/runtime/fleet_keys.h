#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "fanfare/clock.h"
#include "fleet/name_token.h"

namespace fanfare {

// How a fleet writes on its board: a key is a prefix and a token of the name that it is about, and
// times are milliseconds since 1970.

inline constexpr std::string_view replica_prefix = "replica.";
inline constexpr std::string_view gone_prefix = "gone.";
inline constexpr std::string_view health_prefix = "health.";

inline std::string key_of(std::string_view prefix, std::string_view name) {
    return std::string(prefix) + name_token(name);
}

inline std::int64_t to_milliseconds(WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

inline WallTime from_milliseconds(std::int64_t time) {
    return WallTime(
        std::chrono::duration_cast<WallTime::duration>(std::chrono::milliseconds(time)));
}

}  // namespace fanfare
