#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "event/json_view.h"

namespace fanfare {

/// What may stand between the tokens of JSON.
inline bool is_json_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// A value whose strings are not decoded yet: only the last of repeated keys is worth that.
struct RawValue {
    JsonValue::Kind kind = JsonValue::Kind::missing;
    std::string_view token;  ///< of a string what is between the quotes, of other scalars all
    bool has_escape = false;
};

/// A walk over the tokens of valid JSON: brackets, braces, colons, commas and scalars. Where each
/// begins stands in the index that simdjson's first stage has made; behind the last one stands
/// the length of the text. Cheap to copy: a copy is a place to come back to.
class JsonTokens {
  public:
    JsonTokens(std::string_view text, const std::uint32_t* index) noexcept
        : text_(text.data()), token_(index) {}

    /// The first byte of the token: `{ } [ ] : , "` or that of another scalar.
    char kind() const noexcept { return *at(); }
    const char* at() const noexcept { return text_ + *token_; }

    /// The value that begins here.
    RawValue value() const noexcept;

    void next() noexcept { ++token_; }
    /// Steps over the value that begins here.
    void skip() noexcept;

    /// The text from `begin` to the end of the token before this one, a bracket or a brace.
    std::string_view since(const char* begin) const noexcept {
        return {begin, static_cast<std::size_t>(text_ + token_[-1] + 1 - begin)};
    }

  private:
    const char* text_;
    const std::uint32_t* token_;
};

/// Calls `visit(name, value)` for each member of the object that begins at `tokens`, which is then
/// behind it. `decoder.decoded(raw)` is asked for names with escapes.
template <class Decoder, class Visit>
void for_each_member(JsonTokens& tokens, const Decoder& decoder, const Visit& visit) {
    std::string name;
    tokens.next();
    while (tokens.kind() != '}') {
        const RawValue key = tokens.value();
        if (key.has_escape) name = decoder.decoded(key.token);
        tokens.next();
        tokens.next();
        visit(key.has_escape ? std::string_view(name) : key.token, std::as_const(tokens));
        tokens.skip();
        if (tokens.kind() == ',') tokens.next();
    }
    tokens.next();
}

/// Calls `visit(tokens)` for each element of the array that begins at `tokens`. It must step over
/// the element, or return false, which ends the walk.
template <class Visit>
void for_each_element(JsonTokens tokens, const Visit& visit) {
    tokens.next();
    while (tokens.kind() != ']') {
        if (!visit(tokens)) return;
        if (tokens.kind() == ',') tokens.next();
    }
}

}  // namespace fanfare
