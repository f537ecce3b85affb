#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace fanfare {

/// Which bytes may stand somewhere.
using ByteSet = std::array<bool, 256>;

/// `set` and each of `bytes`.
constexpr ByteSet with(ByteSet set, std::string_view bytes) {
    for (const char byte : bytes) set[static_cast<unsigned char>(byte)] = true;
    return set;
}

/// The first place from `position` on whose byte is not in `set`, or the end.
inline std::size_t skip(std::string_view bytes, std::size_t position, const ByteSet& set) noexcept {
    while (position < bytes.size() && set[static_cast<unsigned char>(bytes[position])]) ++position;
    return position;
}

}  // namespace fanfare
