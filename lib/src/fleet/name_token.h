#pragma once

#include <string>
#include <string_view>

namespace fanfare {

/// A name as a part of one that others read, too, where few characters are allowed: [A-Za-z0-9-] as
/// they are, other bytes as `_` and two hexadecimal digits. No two names have the same.
std::string name_token(std::string_view name);
/// The way back; nothing if it is none.
std::string name_of_token(std::string_view token);

}  // namespace fanfare
