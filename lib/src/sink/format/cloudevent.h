#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fanfare/event.h"

namespace fanfare {

/// Names and values of attributes; each value is a text.
using CloudEventAttributes = std::vector<std::pair<std::string, std::string>>;

/// The attributes of the CloudEvent that an event which is none becomes (SPEC 6), but for
/// `datacontenttype`, which is JSON:
///
/// `type` is `org.cncf.distribution.<action>` for what came in a registry's envelope, else
/// `<type_prefix>.<action>`; without an action, what is before the last dot. `source` is
/// `source.addr` if it can be one, `subject` is made of repository and tag, `time` is `timestamp`
/// if that is RFC 3339.
CloudEventAttributes attributes_of(const Event& event, const std::string& type_prefix);

/// Whether `text` may stand where a URI-reference is asked for (RFC 3986 4.1), and is not empty.
bool is_uri_reference(std::string_view text) noexcept;

/// Whether `text` is a date and time of RFC 3339.
bool is_rfc3339(std::string_view text) noexcept;

}  // namespace fanfare
