#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// With the standard alphabet and padding (RFC 4648 4).
std::string base64(std::string_view bytes);

/// What such a text stands for; nothing if it is none. Padding may be missing.
std::optional<std::string> decoded_base64(std::string_view text);

}  // namespace fanfare
