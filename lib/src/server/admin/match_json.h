#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "fanfare/filter.h"

namespace fanfare {

/// Rules as the configuration writes them.
nlohmann::ordered_json match_rules_json(const std::vector<MatchRule>& rules);

}  // namespace fanfare
