#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_set.h"

namespace fanfare {

/// Of a method or a field name (RFC 9110 5.6.2).
extern const ByteSet token_bytes;
/// Of a target: what is neither blank nor a control byte; 80-FF too.
extern const ByteSet visible_bytes;
/// Of a field value or a reason.
extern const ByteSet text_bytes;
/// Of a host that is a name, but for percent-encoded bytes (RFC 3986 3.2.2).
extern const ByteSet name_bytes;

/// Whether none of the eight bytes at `bytes` is a control byte.
inline bool are_plain(const char* bytes) noexcept {
    constexpr std::uint64_t each = 0x0101010101010101;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    const std::uint64_t distance_to_del = word ^ (each * 0x7f);
    const std::uint64_t below_blank = (word - each * ' ') & ~word;
    const std::uint64_t is_del = (distance_to_del - each) & ~distance_to_del;
    return ((below_blank | is_del) & (each * 0x80)) == 0;
}

/// Like skip() with text_bytes, but eight bytes at a time: values are most of a head.
inline std::size_t skip_text(std::string_view bytes, std::size_t position) noexcept {
    while (bytes.size() - position >= 8 && are_plain(bytes.data() + position)) position += 8;
    return skip(bytes, position, text_bytes);
}

}  // namespace fanfare
