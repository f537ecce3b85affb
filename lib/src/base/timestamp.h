#pragma once

#include <string>

#include "fanfare/clock.h"

namespace fanfare {

/// `time` as RFC 3339 writes it, in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
std::string rfc3339(WallTime time);

}  // namespace fanfare
