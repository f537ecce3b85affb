#include "fleet/name_token.h"

#include "base/digits.h"

namespace fanfare {

std::string name_token(std::string_view name) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string token;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-') {
            token += c;
        } else {
            token += '_';
            token += digits[byte >> 4U];
            token += digits[byte & 0xfU];
        }
    }
    return token;
}

std::string name_of_token(std::string_view token) {
    std::string name;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] != '_') {
            name += token[i];
            continue;
        }
        if (i + 2 >= token.size()) return {};
        const int high = hex_value(token[i + 1]);
        const int low = hex_value(token[i + 2]);
        if (high < 0 || low < 0) return {};
        name += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return name;
}

}  // namespace fanfare
