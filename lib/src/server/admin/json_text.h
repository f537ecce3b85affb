#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "fanfare/clock.h"

namespace fanfare {

/// `json` in one line. A receiver's text may stand in it, in whatever encoding: what is no UTF-8
/// is replaced.
std::string json_text(const nlohmann::ordered_json& json);

/// The same, with the line's end.
std::string json_line(const nlohmann::ordered_json& json);

inline double to_seconds(Duration value) { return std::chrono::duration<double>(value).count(); }

}  // namespace fanfare
