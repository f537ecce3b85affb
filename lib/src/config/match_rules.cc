#include "config/match_rules.h"

#include <array>
#include <optional>
#include <utility>

#include "config/action_values.h"
#include "config/checks.h"
#include "config/read_keys.h"
#include "config/schema.h"
#include "config/suggest.h"
#include "event/action_groups.h"

namespace fanfare {
namespace {

using Op = MatchRule::Op;
using Rules = std::vector<MatchRule>;

constexpr std::array<std::pair<const char*, Op>, 7> ops = {{{"in", Op::in},
                                                            {"not_in", Op::not_in},
                                                            {"prefix", Op::prefix},
                                                            {"suffix", Op::suffix},
                                                            {"glob", Op::glob},
                                                            {"exists", Op::exists},
                                                            {"absent", Op::absent}}};

std::vector<std::string> op_names() {
    std::vector<std::string> names;
    for (const auto& [name, op] : ops) names.emplace_back(name);
    return names;
}

std::optional<Op> read_op(const Value& value) {
    const std::optional<std::size_t> index = read_choice(value, op_names());
    return index ? std::optional(ops[*index].second) : std::nullopt;
}

bool is_about_actions(const MatchRule& rule) {
    return rule.field == "/action" || rule.field == "action";
}

/// `actions`: what a rule about actions compares with.
void add_value(const Value& value, const Config& config, MatchRule& rule, ActionList& actions) {
    const std::optional<Scalar> scalar = value.scalar("text");
    if (!scalar) return;
    const bool is_group = is_about_actions(rule) && is_action_group(scalar->text);
    const auto problem =
        rule.op == Op::glob ? check_glob(scalar->text, scalar->shown) : std::nullopt;
    if (is_group && rule.op != Op::in && rule.op != Op::not_in) {
        value.refuse(scalar->shown + " is an action group; expected op in or not_in beside it");
    } else if (is_group) {
        add_actions(value, *scalar, config, actions);
    } else if (problem) {
        value.refuse(*problem);
    } else if (is_about_actions(rule)) {
        actions.add(scalar->text);
    } else {
        rule.values.push_back(scalar->text);
    }
}

void read_rule_values(const Value& value, const Config& config, MatchRule& rule) {
    ActionList actions;
    if (!value.is_sequence()) {
        add_value(value, config, rule, actions);
    } else {
        value.report_problems();
        for (std::size_t i = 0; i < value.node().items.size(); ++i) {
            add_value(value.item(i), config, rule, actions);
        }
        if (value.node().items.empty()) value.refuse("is empty; expected at least one value");
    }
    if (is_about_actions(rule)) rule.values = actions.take();
}

void read_field(const Value& value, MatchRule& rule) {
    const std::optional<Scalar> scalar = value.scalar("a JSON pointer");
    if (!scalar) return;
    if (const auto problem = check_field(scalar->text, scalar->shown)) value.refuse(*problem);
    rule.field = scalar->text;
}

/// `{field, op, value}`.
MatchRule read_comparison(const Value& value, const Config& config) {
    MatchRule rule;
    const YamlEntry* const field = value.node().find("field");
    const YamlEntry* const op = value.node().find("op");
    const YamlEntry* const values = value.node().find("value");
    if (field != nullptr) {
        read_field(value.entry(*field), rule);
    } else {
        value.refuse_missing("field", "a JSON pointer, e.g. \"/target/repository\"");
    }
    if (op == nullptr) {
        value.refuse_missing("op", one_of(op_names()));
        return rule;
    }
    const std::optional<Op> known = read_op(value.entry(*op));
    if (!known) return rule;
    rule.op = *known;
    const bool needs_value = rule.op != Op::exists && rule.op != Op::absent;
    if (needs_value && values == nullptr) {
        value.refuse_missing("value", "a text or a list of texts to compare with");
    } else if (needs_value) {
        read_rule_values(value.entry(*values), config, rule);
    } else if (values != nullptr) {
        value.refuse_key(*values, "not allowed with this op; expected only field and op");
    }
    return rule;
}

Rules read_rules(const Value& value, const Config& config);

/// `{any: [[rule, …], …]}`.
MatchRule read_alternatives(const Value& value, const YamlEntry& any, const Config& config) {
    MatchRule rule;
    for (const YamlEntry& entry : value.node().entries) {
        if (&entry == &any) continue;
        value.refuse_key(entry, "not allowed beside \"any\"; expected a rule of its own");
    }
    const Value alternatives = value.entry(any);
    if (!alternatives.expect_sequence("a list of lists of rules")) return rule;
    if (alternatives.node().items.empty()) {
        alternatives.refuse("is empty; expected at least one list of rules");
    }
    for (std::size_t i = 0; i < alternatives.node().items.size(); ++i) {
        const Value alternative = alternatives.item(i);
        rule.any.push_back(read_rules(alternative, config));
        // An alternative without rules would always hold.
        if (alternative.is_sequence() && alternative.node().items.empty()) {
            alternative.refuse("is empty; expected at least one rule");
        }
    }
    return rule;
}

MatchRule read_rule(const Value& value, const Config& config) {
    if (!value.expect_mapping("a rule, {field, op, value} or {any: [[…], …]}")) return {};
    const std::vector<std::string> known = {"field", "op", "value", "any"};
    refuse_unknown_keys(value, known);
    const YamlEntry* const any = value.node().find("any");
    return any == nullptr ? read_comparison(value, config) : read_alternatives(value, *any, config);
}

Rules read_rules(const Value& value, const Config& config) {
    Rules rules;
    if (!value.expect_sequence("a list of rules")) return rules;
    for (std::size_t i = 0; i < value.node().items.size(); ++i) {
        rules.push_back(read_rule(value.item(i), config));
    }
    return rules;
}

}  // namespace

void read_match(const Value& value, Target& target) {
    target.endpoint.match = read_rules(value, target.config);
}

std::string match_json_schema() { return R"({"$ref": "#/definitions/rules"})"; }

}  // namespace fanfare
