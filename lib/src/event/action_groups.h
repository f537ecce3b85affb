#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Names of action groups, without the `@` that stands before them where they are used, and the
/// actions in them, no longer groups.
using ActionGroups = std::map<std::string, std::vector<std::string>>;

/// Those that are always there (SPEC 5).
ActionGroups built_in_action_groups();

/// Whether `text` stands for a group and not for an action.
inline bool is_action_group(std::string_view text) noexcept { return text.starts_with('@'); }

}  // namespace fanfare
