#pragma once

#include <cstddef>
#include <string_view>

namespace fanfare {

/// The length in bytes of the UTF-8 character that `text` begins with; 0 if it begins with none
/// (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF) or is empty.
std::size_t utf8_length(std::string_view text) noexcept;

/// As much of `text` as fits `bytes_max`, which cuts no character in two.
std::string_view shortened(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace fanfare
