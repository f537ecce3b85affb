#pragma once

#include <optional>
#include <string>

#include "fanfare/config.h"

namespace fanfare {

class Value;
struct YamlNode;
struct Target;

/// `template`: any value; its strings may hold placeholders (SPEC 6).
void read_template(const Value& value, Target& target);
std::string template_json_schema();

/// A part of a CloudEvent's type.
std::optional<std::string> check_type_prefix(const std::string& text, const std::string& shown);

/// Refuses keys of an endpoint that do not go with its format. `own`: the endpoint as it stands in
/// the file, `effective`: with `defaults`, `endpoint`: what was read from that.
void check_format(const Value& own, const YamlNode& effective, const EndpointConfig& endpoint);

}  // namespace fanfare
