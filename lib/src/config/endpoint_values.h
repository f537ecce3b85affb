#pragma once

#include <string>
#include <vector>

#include "fanfare/outcome.h"

namespace fanfare {

class Value;
struct Target;

/// `headers`: names to a text or a list of texts.
void read_headers(const Value& value, Target& target);
std::string headers_json_schema();

/// Codes and ranges, `[200-299, 304]`; one alone needs no list.
void read_statuses(const Value& value, std::vector<StatusRange>& statuses, bool takes_empty);
void read_success(const Value& value, Target& target);
std::string statuses_json_schema(bool takes_empty);

}  // namespace fanfare
