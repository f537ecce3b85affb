#pragma once

#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "config/value.h"

namespace fanfare {

struct Key;
struct Target;

/// `action_groups`: names to lists of actions and of other groups.
Key action_groups_key();

/// `ignore.actions`.
Key ignored_actions_key();

/// Actions in the order in which they are added, each once.
class ActionList {
  public:
    void add(const std::string& action);
    /// Whether the group's actions are still to be added.
    bool begin_group(const std::string& name) { return groups_.insert(name).second; }

    std::size_t size() const noexcept { return actions_.size(); }
    std::vector<std::string> take() { return std::move(actions_); }

  private:
    std::vector<std::string> actions_;
    std::unordered_set<std::string> known_;
    std::set<std::string> groups_;
};

/// Adds what `scalar`, the text of `value`, stands for to `actions`: itself, or the actions of a
/// group. A group that there is not, or that makes the list too long, is refused.
void add_actions(const Value& value, const Scalar& scalar, const Config& config,
                 ActionList& actions);

}  // namespace fanfare
