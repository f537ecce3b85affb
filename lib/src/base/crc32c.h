#pragma once

#include <cstdint>
#include <string_view>

namespace fanfare {

/// CRC-32C (Castagnoli, RFC 3720) of `bytes`, going on from the CRC of what comes before them.
/// Uses the processor's instruction where there is one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

/// The same without that instruction.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace fanfare
