#include "event/json_tokens.h"

#include <array>

namespace fanfare {
namespace {

/// By the first byte of a token.
constexpr std::array<std::int8_t, 256> make_depth_change() {
    std::array<std::int8_t, 256> change{};
    change['{'] = change['['] = 1;
    change['}'] = change[']'] = -1;
    return change;
}

constexpr std::array<std::int8_t, 256> depth_change = make_depth_change();

}  // namespace

RawValue JsonTokens::value() const noexcept {
    const char* const begin = at();
    if (*begin == '{' || *begin == '[') return {JsonValue::Kind::container, {}};
    // A scalar ends where the next token begins, white space aside.
    const char* end = text_ + token_[1];
    while (is_json_space(end[-1])) --end;
    if (*begin != '"') {
        const auto kind = *begin == 'n' ? JsonValue::Kind::null : JsonValue::Kind::scalar;
        return {kind, {begin, static_cast<std::size_t>(end - begin)}};
    }
    const std::string_view inside(begin + 1, static_cast<std::size_t>(end - begin) - 2);
    const bool has_escape = inside.find('\\') != std::string_view::npos;
    return {JsonValue::Kind::string, inside, has_escape};
}

void JsonTokens::skip() noexcept {
    int depth = 0;
    do {
        depth += depth_change[static_cast<unsigned char>(kind())];
        next();
    } while (depth > 0);
}

}  // namespace fanfare
