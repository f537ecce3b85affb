#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace fanfare {

/// Where and why a text is not the JSON that Fanfare takes.
struct JsonProblem {
    std::size_t offset = 0;    ///< bytes from the start of the text
    const char* message = "";  ///< a constant phrase
    /// The event it lies in, from 0: the element of a top-level array, or of the array `events` in
    /// a top-level object. Nothing if it lies outside of those.
    std::optional<std::size_t> index;
    bool is_syntax = false;  ///< the text is no JSON at all
};

/// Reads `text` to its end and finds the first place where it is no JSON after RFC 8259, with the
/// strictness of SPEC 4: valid UTF-8, no byte order mark, no lone surrogates, nothing behind the
/// value, at most `depth_max` containers inside each other. Numbers may have any size; keys may
/// repeat. Needs no padding. Slower than the hot path (json_view.h), but it knows the place.
std::optional<JsonProblem> check_json(std::string_view text, std::size_t depth_max);

}  // namespace fanfare
