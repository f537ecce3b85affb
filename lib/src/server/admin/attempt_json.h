#pragma once

#include <nlohmann/json_fwd.hpp>

#include "fanfare/endpoint.h"

namespace fanfare {

/// An attempt as the admin listener shows it.
nlohmann::ordered_json attempt_json(const AttemptRecord& attempt);

}  // namespace fanfare
