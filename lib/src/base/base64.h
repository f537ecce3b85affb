#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// With the standard alphabet and padding (RFC 4648 4).
std::string base64(std::string_view bytes);

/// The bytes that `text` stands for, in the standard alphabet with its padding; nothing if it is
/// anything else.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace fanfare
