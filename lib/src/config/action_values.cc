#include "config/action_values.h"

#include <algorithm>
#include <map>

#include "base/units.h"
#include "config/checks.h"
#include "config/effective.h"
#include "config/schema.h"
#include "config/suggest.h"
#include "event/action_groups.h"

namespace fanfare {
namespace {

constexpr std::size_t groups_max = 200;
constexpr std::size_t actions_max = 1000;  // of a list, and of a group with all that is in it

std::vector<std::string> names_with_at(const ActionGroups& groups) {
    std::vector<std::string> names;
    for (const auto& group : groups) names.push_back("@" + group.first);
    return names;
}

void refuse_unknown_group(const Value& value, const Scalar& scalar,
                          const std::vector<std::string>& known) {
    const std::string meant = suggest(scalar.text, known);
    const std::string hint = meant.empty() ? "" : ", did you mean " + in_quotes(meant) + "?";
    value.refuse(scalar.shown + " is no action group; expected one of " + join(known) + hint);
}

void refuse_length(const Value& value) {
    value.refuse("has too many actions; expected at most " + std::to_string(actions_max));
}

void add_group(const std::vector<std::string>& group, ActionList& actions) {
    for (const std::string& action : group) {
        if (actions.size() > actions_max) return;
        actions.add(action);
    }
}

/// Reads the groups of a file, whichever order they stand in.
class GroupReader {
  public:
    explicit GroupReader(const Value& mapping)
        : mapping_(mapping), groups_(built_in_action_groups()), known_(names_with_at(groups_)) {
        for (const YamlEntry& entry : mapping.node().entries) known_.push_back("@" + entry.key);
    }

    ActionGroups read() {
        // How deep groups can lie within groups is bounded by their number.
        if (mapping_.node().entries.size() > groups_max) {
            mapping_.refuse("has too many groups; expected at most " + std::to_string(groups_max));
            return {};
        }
        for (const YamlEntry& entry : mapping_.node().entries) {
            if (check_name(entry)) resolve(entry);
        }
        for (const auto& group : built_in_) groups_.erase(group.first);
        return std::move(groups_);
    }

  private:
    bool check_name(const YamlEntry& entry) const {
        if (built_in_.contains(entry.key)) {
            mapping_.refuse_key(entry, "is a built-in group; expected another name");
            return false;
        }
        if (!check_endpoint_name(entry.key, {})) return true;
        mapping_.refuse_key(entry,
                            "is no name of a group; expected 1 to 64 of the characters A-Z a-z "
                            "0-9 . _ -, without @");
        return false;
    }

    /// Puts the group, and those that it is made of, into groups_.
    void resolve(const YamlEntry& entry) {
        if (groups_.contains(entry.key)) return;
        ActionList actions;
        path_.push_back("@" + entry.key);
        const Value list = mapping_.entry(entry);
        if (list.expect_sequence("a list of actions and groups")) {
            if (list.node().items.empty()) list.refuse("is empty; expected at least one action");
            const std::size_t size = std::min(list.node().items.size(), actions_max + 1);
            for (std::size_t i = 0; i < size && actions.size() <= actions_max; ++i) {
                add_item(list.item(i), actions);
            }
            if (actions.size() > actions_max) refuse_length(list);
        }
        path_.pop_back();
        std::vector<std::string> taken = actions.take();
        taken.resize(std::min(taken.size(), actions_max));
        groups_.emplace(entry.key, std::move(taken));
    }

    void add_item(const Value& item, ActionList& actions) {
        const std::optional<Scalar> scalar = item.scalar("an action or the name of a group");
        if (!scalar) return;
        if (!is_action_group(scalar->text)) {
            if (scalar->text.empty()) item.refuse("is empty; expected an action");
            return actions.add(scalar->text);
        }
        const auto on_path = std::find(path_.begin(), path_.end(), scalar->text);
        if (on_path != path_.end()) {
            std::string cycle;
            for (auto group = on_path; group != path_.end(); ++group) cycle += *group + " -> ";
            item.refuse("is a cycle: " + cycle + scalar->text +
                        "; expected a group that does not "
                        "hold itself");
            return;
        }
        const std::string name = scalar->text.substr(1);
        const YamlEntry* const own = mapping_.node().find(name);
        if (own != nullptr && !built_in_.contains(name)) resolve(*own);
        const auto found = groups_.find(name);
        if (found == groups_.end()) return refuse_unknown_group(item, *scalar, known_);
        if (actions.begin_group(name)) add_group(found->second, actions);
    }

    const Value& mapping_;
    const ActionGroups built_in_ = built_in_action_groups();
    ActionGroups groups_;
    std::vector<std::string> known_;  ///< names of groups, for hints
    std::vector<std::string> path_;   ///< the groups being resolved, each a part of the one before
};

void read_action_groups(const Value& value, Target& target) {
    if (!value.expect_mapping("a mapping of names to lists of actions")) return;
    target.config.action_groups = GroupReader(value).read();
}

void read_ignored_actions(const Value& value, Target& target) {
    if (!value.expect_sequence("a list of actions and groups")) return;
    if (value.node().items.size() > actions_max) return refuse_length(value);
    ActionList actions;
    for (std::size_t i = 0; i < value.node().items.size(); ++i) {
        const Value item = value.item(i);
        const std::optional<Scalar> scalar = item.scalar("text");
        if (scalar) add_actions(item, *scalar, target.config, actions);
    }
    target.endpoint.ignored_actions = actions.take();
}

}  // namespace

void ActionList::add(const std::string& action) {
    if (known_.insert(action).second) actions_.push_back(action);
}

void add_actions(const Value& value, const Scalar& scalar, const Config& config,
                 ActionList& actions) {
    if (!is_action_group(scalar.text)) return actions.add(scalar.text);
    const std::string name = scalar.text.substr(1);
    if (!actions.begin_group(name)) return;
    ActionGroups built_in = built_in_action_groups();
    const auto own = config.action_groups.find(name);
    const auto found = built_in.find(name);
    if (own != config.action_groups.end()) {
        add_group(own->second, actions);
    } else if (found != built_in.end()) {
        add_group(found->second, actions);
    } else {
        built_in.insert(config.action_groups.begin(), config.action_groups.end());
        return refuse_unknown_group(value, scalar, names_with_at(built_in));
    }
    if (actions.size() > actions_max) refuse_length(value);
}

Key action_groups_key() {
    return {"action_groups",
            "Names for several actions; `@name` stands for them wherever an action does. A list "
            "may hold other groups; @write, @read, @start, @stop and @meta are built in.",
            SpecialKind{"mapping of names to lists of text",
                        R"({"type": "object", "additionalProperties": {"type": "array",
                            "minItems": 1, "items": {"$ref": "#/definitions/text"}}})",
                        read_action_groups, show_action_groups},
            false,
            "{}",
            "{deploy: [push, '@start']}"};
}

Key ignored_actions_key() {
    return {"actions",
            "Events with such an `action`, or one of such a group, are ignored.",
            SpecialKind{"list of text",
                        R"({"type": "array", "maxItems": 1000,
                            "items": {"$ref": "#/definitions/text"}})",
                        read_ignored_actions, show_ignored_actions},
            false,
            "[]",
            "[pull]"};
}

}  // namespace fanfare
