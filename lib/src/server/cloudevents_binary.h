#pragma once

#include <string>
#include <variant>

#include "server/parse_request.h"

namespace fanfare {

/// A CloudEvent as one JSON object.
struct StructuredCloudEvent {
    std::string text;
    /// So much of it is the same when the event is sent again, whatever the order of the fields.
    /// Only the trace stands behind, which is another one then.
    std::size_t identity_bytes = 0;
};

/// Turns a CloudEvent in HTTP's binary form (attributes in `ce-` fields, data in the body) into
/// the structured form: JSON data stands in it as it came, text as a string, anything else as
/// `data_base64`. `body` must be padded (json_view.h); so is the result.
/// Source: CloudEvents 1.0, HTTP binding 3.1 and JSON format 3.1.
std::variant<StructuredCloudEvent, Refusal> structured_cloudevent(const RequestHead& head,
                                                                  std::string_view body);

}  // namespace fanfare
