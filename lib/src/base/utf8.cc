#include "base/utf8.h"

namespace fanfare {

std::size_t utf8_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned first = byte(0);
    const unsigned second = byte(1);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4 || !follows(1)) return 0;
    if (first < 0xE0) return 2;
    if (first < 0xF0) {
        const bool is_overlong = first == 0xE0 && second < 0xA0;
        const bool is_surrogate = first == 0xED && second >= 0xA0;
        return is_overlong || is_surrogate || !follows(2) ? 0 : 3;
    }
    const bool is_overlong = first == 0xF0 && second < 0x90;
    const bool is_too_large = first == 0xF4 && second >= 0x90;
    return is_overlong || is_too_large || !follows(2) || !follows(3) ? 0 : 4;
}

std::string_view shortened(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
    return text.substr(0, end);
}

}  // namespace fanfare
