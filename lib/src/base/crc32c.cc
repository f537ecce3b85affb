#include "base/crc32c.h"

#include <boost/crc.hpp>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace fanfare {
namespace {

constexpr std::uint32_t castagnoli = 0x1EDC6F41;
constexpr std::uint32_t inverted = 0xFFFFFFFF;
using Portable = boost::crc_optimal<32, castagnoli, inverted, inverted, true, true>;

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::string_view bytes,
                                                             std::uint32_t before) noexcept {
    std::uint64_t crc = before ^ inverted;
    while (bytes.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        crc = _mm_crc32_u64(crc, word);
        bytes.remove_prefix(sizeof word);
    }
    auto rest = static_cast<std::uint32_t>(crc);
    for (const char byte : bytes) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(byte));
    return rest ^ inverted;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before) noexcept {
    // What is given is the register, which neither inversion nor reflection has touched.
    Portable crc;
    std::uint32_t remainder = 0;
    const std::uint32_t reflected = before ^ inverted;
    for (unsigned bit = 0; bit < 32; ++bit) {
        if ((reflected >> bit & 1U) != 0) remainder |= 1U << (31U - bit);
    }
    crc.reset(remainder);
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2") != 0) return crc32c_sse42(bytes, before);
#endif
    return crc32c_portable(bytes, before);
}

}  // namespace fanfare
