#pragma once

#include <string>
#include <string_view>

namespace fanfare {

/// With the standard alphabet and padding (RFC 4648 4).
std::string base64(std::string_view bytes);

}  // namespace fanfare
