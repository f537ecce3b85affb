#pragma once

#include <vector>

#include "fanfare/filter.h"

namespace fanfare {

/// Whether these rules ask for events of Fanfare's own: one of them, or of their alternatives,
/// names an action of `@meta` or the source `meta` (SPEC 16). A pattern that fits any source names
/// none.
bool ask_for_meta(const std::vector<MatchRule>& rules);

}  // namespace fanfare
