#include <algorithm>
#include <array>

#include "base/digits.h"
#include "sink/format/cloudevent.h"

namespace fanfare {
namespace {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Whether all of `text` is escapes or characters that may stand in a path; `others` may, too.
bool consists_of_path_characters(std::string_view text, std::string_view others) {
    static constexpr std::string_view marks = "-._~!$&'()*+,;=:@/";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
            i += 2;
        } else if (!is_digit(c) && !is_letter(c) && marks.find(c) == std::string_view::npos &&
                   others.find(c) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

bool is_scheme(std::string_view text) {
    return !text.empty() && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
           });
}

/// Only the brackets of an address, and only around it.
bool is_authority(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        const std::string_view address = text.substr(1, end - 1);
        const bool is_address =
            end != std::string_view::npos && address.find(':') != std::string_view::npos &&
            std::all_of(address.begin(), address.end(),
                        [](char c) { return is_hex(c) || c == ':' || c == '.'; });
        if (!is_address) return false;
        text.remove_prefix(end + 1);
        if (!text.empty() && text.front() != ':') return false;
    }
    return consists_of_path_characters(text, "");
}

/// The number that the digits at `at` are, if there are `digits` of them; else -1.
int number_at(std::string_view text, std::size_t at, std::size_t digits) {
    if (text.size() < at + digits) return -1;
    int number = 0;
    for (const char c : text.substr(at, digits)) {
        if (!is_digit(c)) return -1;
        number = number * 10 + (c - '0');
    }
    return number;
}

bool is_between(int value, int min, int max) { return value >= min && value <= max; }

/// `2026-11-20`.
bool is_date(std::string_view text) {
    static constexpr std::array days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = number_at(text, 0, 4);
    const int month = number_at(text, 5, 2);
    const int day = number_at(text, 8, 2);
    if (year < 0 || text[4] != '-' || text[7] != '-' || !is_between(month, 1, 12)) return false;
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    const int last = days[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap ? 1 : 0);
    return is_between(day, 1, last);
}

/// `Z` or `+01:00`.
bool is_offset(std::string_view text) {
    if (text == "Z" || text == "z") return true;
    return text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
           is_between(number_at(text, 1, 2), 0, 23) && is_between(number_at(text, 4, 2), 0, 59);
}

}  // namespace

bool is_uri_reference(std::string_view text) noexcept {
    if (text.empty()) return false;
    const std::string_view before_fragment = text.substr(0, text.find('#'));
    if (before_fragment.size() < text.size() &&
        !consists_of_path_characters(text.substr(before_fragment.size() + 1), "?")) {
        return false;
    }
    std::string_view rest = before_fragment.substr(0, before_fragment.find('?'));
    if (!consists_of_path_characters(before_fragment.substr(rest.size()), "?")) return false;

    const std::size_t colon = rest.substr(0, rest.find('/')).find(':');
    if (colon != std::string_view::npos) {
        if (!is_scheme(rest.substr(0, colon))) return false;
        rest.remove_prefix(colon + 1);
    }
    if (!rest.starts_with("//")) return consists_of_path_characters(rest, "");
    rest.remove_prefix(2);
    const std::string_view authority = rest.substr(0, rest.find('/'));
    return is_authority(authority) &&
           consists_of_path_characters(rest.substr(authority.size()), "");
}

bool is_rfc3339(std::string_view text) noexcept {
    constexpr std::size_t seconds_end = 19;
    if (text.size() <= seconds_end || !is_date(text)) return false;
    const bool is_time = (text[10] == 'T' || text[10] == 't') && text[13] == ':' &&
                         text[16] == ':' && is_between(number_at(text, 11, 2), 0, 23) &&
                         is_between(number_at(text, 14, 2), 0, 59) &&
                         is_between(number_at(text, 17, 2), 0, 60);
    if (!is_time) return false;
    std::string_view rest = text.substr(seconds_end);
    if (rest.front() == '.') {
        const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
        if (end == 1) return false;
        rest.remove_prefix(end);
    }
    return is_offset(rest);
}

}  // namespace fanfare
