#pragma once

#include <string>

namespace fanfare {

/// The table of every key in Markdown, as it stands in config/README.md.
std::string config_reference_markdown();

/// A JSON Schema (draft-07) of a configuration, for editors: config/fanfare.schema.json.
std::string config_json_schema();

/// Every key at its default, with comments: config/fanfare.yaml.
std::string config_default_yaml();

}  // namespace fanfare
