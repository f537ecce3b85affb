#include "event/glob.h"

#include <cstdint>

namespace fanfare {
namespace {

/// Takes the first character off `text`, which must not be empty. What is not UTF-8 is taken byte
/// by byte.
std::uint32_t take_character(std::string_view& text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t character = lead;
    for (std::size_t i = 1; i < size && i < text.size(); ++i) {
        character = character << 8U | static_cast<unsigned char>(text[i]);
    }
    text.remove_prefix(size < text.size() ? size : text.size());
    return character;
}

bool is_in_set(std::string_view set, std::uint32_t character) noexcept {
    const bool is_negated = set.starts_with('!');
    if (is_negated) set.remove_prefix(1);
    bool is_found = false;
    while (!set.empty()) {
        const std::uint32_t low = take_character(set);
        std::uint32_t high = low;
        if (set.size() > 1 && set.front() == '-') {
            set.remove_prefix(1);
            high = take_character(set);
        }
        is_found = is_found || (low <= character && character <= high);
    }
    return is_found != is_negated;
}

/// Whether the first character of `text` fits the first element of `pattern`, which is no `*`;
/// takes both off if so.
bool take_match(std::string_view& pattern, std::string_view& text) noexcept {
    if (pattern.empty() || text.empty()) return false;
    std::string_view rest = text;
    const std::uint32_t character = take_character(rest);
    const std::size_t end = pattern.front() == '[' ? glob_set_end(pattern) : std::string_view::npos;
    if (end != std::string_view::npos) {
        if (!is_in_set(pattern.substr(1, end - 1), character)) return false;
        pattern.remove_prefix(end + 1);
    } else if (pattern.front() == '?') {
        pattern.remove_prefix(1);
    } else if (take_character(pattern) != character) {
        return false;
    }
    text = rest;
    return true;
}

}  // namespace

std::size_t glob_set_end(std::string_view pattern) noexcept {
    const std::size_t first = pattern.starts_with("[!") ? 2 : 1;
    return pattern.find(']', first + 1);
}

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
    // Only the last `*` can need another try, because whatever the earlier ones took can stay.
    bool has_star = false;
    std::string_view star_pattern;
    std::string_view star_text;
    while (!text.empty() || !pattern.empty()) {
        if (pattern.starts_with('*')) {
            pattern.remove_prefix(1);
            has_star = true;
            star_pattern = pattern;
            star_text = text;
        } else if (std::string_view p = pattern, t = text; take_match(p, t)) {
            pattern = p;
            text = t;
        } else if (has_star && !star_text.empty()) {
            take_character(star_text);
            pattern = star_pattern;
            text = star_text;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace fanfare
