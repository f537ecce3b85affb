#pragma once

#include <string>
#include <variant>

#include "server/parse_request.h"

namespace fanfare {

/// Turns a CloudEvent in HTTP's binary form (attributes in `ce-` fields, data in the body) into
/// the structured form, one JSON object: JSON data stands in it as it came, text as a string,
/// anything else as `data_base64`. `body` must be padded (json_view.h); so is the result.
/// Source: CloudEvents 1.0, HTTP binding 3.1 and JSON format 3.1.
std::variant<std::string, Refusal> structured_cloudevent(const RequestHead& head,
                                                         std::string_view body);

}  // namespace fanfare
