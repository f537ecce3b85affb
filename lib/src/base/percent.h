#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// `text` with `%41` read as `A`, once; nothing if a `%` begins no such escape. Any bytes may come
/// of it (RFC 3986 2.1).
std::optional<std::string> percent_decoded(std::string_view text);

/// Appends `%XX`.
inline void append_percent_escape(std::string& out, unsigned char byte) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 0xfU];
}

}  // namespace fanfare
