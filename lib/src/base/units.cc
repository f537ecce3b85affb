#include "base/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "base/utf8.h"

#include "base/digits.h"

namespace fanfare {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

constexpr std::array<Unit, 8> duration_units = {{{"ns", 1},
                                                 {"us", 1'000},
                                                 {"µs", 1'000},
                                                 {"μs", 1'000},  // U+03BC, as Go accepts it too
                                                 {"ms", 1'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"h", 3'600'000'000'000}}};

constexpr std::array<Unit, 9> size_units = {{{"B", 1},
                                             {"KiB", 1ULL << 10U},
                                             {"MiB", 1ULL << 20U},
                                             {"GiB", 1ULL << 30U},
                                             {"TiB", 1ULL << 40U},
                                             {"KB", 1'000},
                                             {"MB", 1'000'000},
                                             {"GB", 1'000'000'000},
                                             {"TB", 1'000'000'000'000}}};

constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

/// A decimal number, exact: whole + fraction / fraction_scale.
struct Decimal {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0;
    std::uint64_t fraction_scale = 1;
    bool is_too_large = false;

    /// This many of `unit`, rounded down; nothing if that is too large.
    std::optional<std::uint64_t> times(std::uint64_t unit) const {
        if (is_too_large || whole > largest / unit) return std::nullopt;
        // Nine digits of fraction, and a unit below 2^42: the product fits into 128 bits.
        __extension__ using Wide = unsigned __int128;
        const auto rest = static_cast<std::uint64_t>(Wide{fraction} * unit / fraction_scale);
        const std::uint64_t total = whole * unit + rest;
        return total > largest ? std::nullopt : std::optional(total);
    }
};

/// Takes a number such as `5`, `1.5` or `.5` from the front of `text`; nothing if there is none.
std::optional<Decimal> take_decimal(std::string_view& text) {
    Decimal number;
    std::size_t digits = 0;
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), ++digits) {
        const auto digit = static_cast<unsigned>(text.front() - '0');
        if (number.whole > (largest - digit) / 10) number.is_too_large = true;
        if (!number.is_too_large) number.whole = number.whole * 10 + digit;
    }
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), ++digits) {
            if (number.fraction_scale >= 1'000'000'000'000'000) continue;
            number.fraction = number.fraction * 10 + static_cast<unsigned>(text.front() - '0');
            number.fraction_scale *= 10;
        }
    }
    return digits == 0 ? std::nullopt : std::optional(number);
}

/// Takes what stands before the next digit or dot.
std::string_view take_unit(std::string_view& text) {
    const std::size_t size = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, size);
    text.remove_prefix(size);
    return unit;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
    for (const Unit& unit : units) {
        if (unit.name == name) return &unit;
    }
    return nullptr;
}

Error problem(std::string_view text, std::string_view what, std::string_view expected,
              std::string_view example) {
    std::string message = in_quotes(text);
    message.append(what).append("; expected ").append(expected);
    message.append(", e.g. \"").append(example).append("\"");
    return Error(message);
}

/// A bare number is meant as seconds, unless it is so large that it must be nanoseconds, which is
/// how a registry reads it.
std::string with_likely_unit(std::string_view text) {
    constexpr std::int64_t nanoseconds_from = 1'000'000;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    if (is_number && number >= nanoseconds_from) return format_duration(Duration(number));
    return text.size() <= 20 ? std::string(text) + "s" : "5s";
}

}  // namespace

Result<Duration> parse_duration(std::string_view text, std::string_view expected) {
    constexpr std::string_view example = "5s";
    std::string_view rest = text;
    const bool is_negative = rest.starts_with('-');
    if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.empty()) return problem(text, " is no duration", expected, example);
    std::uint64_t total = 0;
    while (!rest.empty()) {
        const std::optional<Decimal> number = take_decimal(rest);
        if (!number) return problem(text, " is no duration", expected, example);
        const std::string_view name = take_unit(rest);
        if (name.empty()) {
            return problem(text, " has no unit", expected, with_likely_unit(text));
        }
        const Unit* unit = find_unit(duration_units, name);
        if (unit == nullptr) {
            const std::string what = " has the unknown unit " + in_quotes(name);
            return problem(text, what, expected, example);
        }
        const std::optional<std::uint64_t> part = number->times(unit->size);
        if (!part || *part > largest - total) {
            return problem(text, " is too long", expected, example);
        }
        total += *part;
    }
    const auto nanoseconds = static_cast<std::int64_t>(total);
    return Duration(is_negative ? -nanoseconds : nanoseconds);
}

Result<std::uint64_t> parse_size(std::string_view text, std::string_view expected) {
    constexpr std::string_view example = "64KiB";
    std::string_view rest = text;
    const std::optional<Decimal> number = take_decimal(rest);
    if (!number) return problem(text, " is no size", expected, example);
    if (rest.empty()) {
        if (number->fraction_scale != 1) {
            return problem(text, " is no whole number of bytes", expected, example);
        }
        rest = "B";
    }
    const Unit* unit = find_unit(size_units, rest);
    if (unit == nullptr) {
        const std::string what = " has the unknown unit " + in_quotes(rest);
        return problem(text, what, expected, example);
    }
    const std::optional<std::uint64_t> bytes = number->times(unit->size);
    if (!bytes) return problem(text, " is too large", expected, example);
    return *bytes;
}

std::string format_duration(Duration duration) {
    // Negating the smallest value would overflow; no configuration holds it.
    if (duration == Duration::min()) duration = Duration::min() + Duration(1);
    std::string text = duration < Duration::zero() ? "-" : "";
    auto rest = static_cast<std::uint64_t>(duration < Duration::zero() ? -duration.count()
                                                                       : duration.count());
    if (rest == 0) return "0s";
    constexpr std::uint64_t second = 1'000'000'000;
    if (rest < second) {
        if (rest % 1'000'000 == 0) return text + std::to_string(rest / 1'000'000) + "ms";
        if (rest % 1'000 == 0) return text + std::to_string(rest / 1'000) + "us";
        return text + std::to_string(rest) + "ns";
    }
    for (const auto& [name, size] : {Unit{"h", 3600 * second}, Unit{"m", 60 * second}}) {
        if (rest >= size) text += std::to_string(rest / size).append(name);
        rest %= size;
    }
    if (rest == 0) return text;
    text += std::to_string(rest / second);
    if (rest % second != 0) {
        std::string fraction = std::to_string(second + rest % second).substr(1);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        text.append(".").append(fraction);
    }
    return text + "s";
}

std::string format_size(std::uint64_t bytes) {
    for (std::size_t i = 4; i > 0 && bytes > 0; --i) {
        const Unit& unit = size_units[i];
        if (bytes % unit.size == 0) return std::to_string(bytes / unit.size).append(unit.name);
    }
    return std::to_string(bytes);
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t characters_max = 60;
    std::string out = "\"";
    for (std::size_t count = 0; !text.empty(); ++count) {
        if (count == characters_max) {
            out += "…";
            break;
        }
        const std::size_t size = utf8_length(text);
        const bool is_control = size == 1 && (text[0] < ' ' || text[0] == 0x7f);
        // U+0080 to U+009F are control characters too: a terminal obeys some of them.
        const bool is_high_control = size == 2 && text[0] == '\xc2' && text[1] < '\xa0';
        if (size == 0 || is_control || is_high_control) {
            out += '?';
        } else {
            out += text.substr(0, size);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out + "\"";
}

}  // namespace fanfare
