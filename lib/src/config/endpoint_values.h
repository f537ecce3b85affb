#pragma once

#include <string>

namespace fanfare {

class Value;
struct Target;

/// `headers`: names to a text or a list of texts.
void read_headers(const Value& value, Target& target);
std::string headers_json_schema();

/// `success`: codes and ranges, `[200-299, 304]`; one alone needs no list.
void read_success(const Value& value, Target& target);
std::string success_json_schema();

}  // namespace fanfare
