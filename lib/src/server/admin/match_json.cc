#include "server/admin/match_json.h"

#include <nlohmann/json.hpp>

namespace fanfare {
namespace {

std::string_view text(MatchRule::Op op) {
    switch (op) {
        case MatchRule::Op::in:
            return "in";
        case MatchRule::Op::not_in:
            return "not_in";
        case MatchRule::Op::prefix:
            return "prefix";
        case MatchRule::Op::suffix:
            return "suffix";
        case MatchRule::Op::glob:
            return "glob";
        case MatchRule::Op::exists:
            return "exists";
        case MatchRule::Op::absent:
            return "absent";
    }
    return "unknown";
}

}  // namespace

nlohmann::ordered_json match_rules_json(const std::vector<MatchRule>& rules) {
    using Json = nlohmann::ordered_json;
    Json result = Json::array();
    for (const MatchRule& rule : rules) {
        Json& entry = result.emplace_back(Json::object());
        if (rule.any.empty()) {
            entry["field"] = rule.field;
            entry["op"] = text(rule.op);
            if (!rule.values.empty()) entry["value"] = rule.values;
        }
        for (const auto& alternative : rule.any)
            entry["any"].push_back(match_rules_json(alternative));
    }
    return result;
}

}  // namespace fanfare
