#pragma once

#include <string>
#include <vector>

#include "config/value.h"

namespace fanfare {

struct Key;
struct Target;

/// `action_groups`: names to lists of actions and of other groups.
Key action_groups_key();

/// `ignore.actions`.
Key ignored_actions_key();

/// Adds what `scalar`, the text of `value`, stands for to `actions`: itself, or the actions of a
/// group. A group that there is not is refused.
void add_actions(const Value& value, const Scalar& scalar, const Config& config,
                 std::vector<std::string>& actions);

}  // namespace fanfare
