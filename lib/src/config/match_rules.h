#pragma once

#include <string>

namespace fanfare {

class Value;
struct Target;

/// `match`: a list of rules `{field, op, value}` or `{any: [[rule, …], …]}` (SPEC 5).
void read_match(const Value& value, Target& target);
std::string match_json_schema();

}  // namespace fanfare
