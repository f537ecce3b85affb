#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// `text` with `%41` read as `A`, once; nothing if a `%` begins no such escape. Any bytes may come
/// of it (RFC 3986 2.1).
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace fanfare
