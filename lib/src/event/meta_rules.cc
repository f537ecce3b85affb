#include "event/meta_rules.h"

#include <algorithm>

#include "event/action_groups.h"
#include "event/glob.h"

namespace fanfare {
namespace {

using Op = MatchRule::Op;

bool is_meta_action(const std::string& action) {
    static const std::vector<std::string> actions = built_in_action_groups().at("meta");
    return std::find(actions.begin(), actions.end(), action) != actions.end();
}

bool fits_source(Op op, std::string_view source, const std::string& value) {
    if (op == Op::in) return source == value;
    if (op == Op::prefix) return source.starts_with(value);
    return op == Op::glob && matches_glob(value, source);
}

/// `*` fits `meta`, and does not ask for it.
bool names_source(Op op, const std::string& value) {
    return fits_source(op, "meta", value) && !fits_source(op, "http", value);
}

bool asks_for_meta(const MatchRule& rule) {
    if (!rule.any.empty()) return std::any_of(rule.any.begin(), rule.any.end(), ask_for_meta);
    const auto any_value = [&](const auto& is_it) {
        return std::any_of(rule.values.begin(), rule.values.end(), is_it);
    };
    if (rule.field == "/action" || rule.field == "action") {
        return rule.op == Op::in && any_value(is_meta_action);
    }
    if (rule.field != "/source" && rule.field != "source") return false;
    return any_value([&](const std::string& value) { return names_source(rule.op, value); });
}

}  // namespace

bool ask_for_meta(const std::vector<MatchRule>& rules) {
    return std::any_of(rules.begin(), rules.end(), asks_for_meta);
}

}  // namespace fanfare
