#include "http/field_values.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fanfare {
namespace {

constexpr std::array<bool, 256> make_token_bytes() {
    std::array<bool, 256> set{};
    for (unsigned char byte = '0'; byte <= '9'; ++byte) set[byte] = true;
    for (unsigned char byte = 'a'; byte <= 'z'; ++byte) set[byte] = true;
    for (unsigned char byte = 'A'; byte <= 'Z'; ++byte) set[byte] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
        set[static_cast<unsigned char>(c)] = true;
    }
    return set;
}

constexpr std::array<bool, 256> token_bytes = make_token_bytes();

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_hex_digit(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes the first element off a comma-separated list.
std::string_view take_element(std::string_view& list) noexcept {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    return element;
}

bool is_valid_port(std::string_view port) noexcept {
    if (port.empty()) return true;  // RFC 3986 lets the digits be missing
    if (port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return false;
    unsigned number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    return number <= 65535;
}

bool is_valid_name(std::string_view name) noexcept {
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (c == '%') {
            if (i + 2 >= name.size() || !is_hex_digit(name[i + 1]) || !is_hex_digit(name[i + 2])) {
                return false;
            }
            i += 2;
        } else if (!is_digit(c) && !(to_lower(c) >= 'a' && to_lower(c) <= 'z') &&
                   std::string_view("-._~!$&'()*+,;=").find(c) == std::string_view::npos) {
            return false;
        }
    }
    return !name.empty();
}

bool is_valid_bracketed(std::string_view address) noexcept {
    const auto fits = [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; };
    return address.size() >= 2 && address.find(':') != std::string_view::npos &&
           std::all_of(address.begin(), address.end(), fits);
}

/// What is wrong with a Transfer-Encoding that is not just `chunked`. Sets has_unknown_coding if
/// it is well-formed, but names a coding that we do not know.
const char* judge_coding(std::string_view value, BodyFraming& framing) noexcept {
    bool is_known = true;
    std::string_view rest = value;
    do {
        const std::string_view coding = take_element(rest);
        const std::string_view name = trim(coding.substr(0, coding.find(';')));
        if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_byte)) {
            return "Transfer-Encoding is malformed";
        }
        if (!equals_ignoring_case(name, "chunked")) is_known = false;
    } while (!rest.empty());
    if (is_known) return "Transfer-Encoding is not just chunked";
    framing.has_unknown_coding = true;
    return "this transfer coding is not supported";
}

}  // namespace

bool is_token_byte(unsigned char byte) noexcept { return token_bytes[byte]; }

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return to_lower(a) == to_lower(b); });
}

std::optional<std::string_view> find_field(const FieldViews& fields,
                                           std::string_view name) noexcept {
    for (const auto& [field_name, value] : fields) {
        if (equals_ignoring_case(field_name, name)) return value;
    }
    return std::nullopt;
}

std::size_t count_fields(const FieldViews& fields, std::string_view name) noexcept {
    std::size_t count = 0;
    for (const auto& field : fields) count += equals_ignoring_case(field.first, name) ? 1 : 0;
    return count;
}

bool has_token(const FieldViews& fields, std::string_view name, std::string_view token) noexcept {
    for (const auto& [field_name, value] : fields) {
        if (!equals_ignoring_case(field_name, name)) continue;
        for (std::string_view rest = value; !rest.empty();) {
            if (equals_ignoring_case(take_element(rest), token)) return true;
        }
    }
    return false;
}

std::optional<std::uint64_t> parse_content_length(std::string_view value) noexcept {
    if (value.empty() || value.size() > 10) return std::nullopt;
    if (!std::all_of(value.begin(), value.end(), is_digit)) return std::nullopt;
    std::uint64_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
}

bool is_valid_host(std::string_view value) noexcept {
    if (value.starts_with('[')) {
        const std::size_t end = value.find(']');
        if (end == std::string_view::npos) return false;
        const std::string_view rest = value.substr(end + 1);
        return is_valid_bracketed(value.substr(1, end - 1)) &&
               (rest.empty() || (rest.front() == ':' && is_valid_port(rest.substr(1))));
    }
    const std::size_t colon = value.find(':');
    if (colon == std::string_view::npos) return is_valid_name(value);
    return is_valid_name(value.substr(0, colon)) && is_valid_port(value.substr(colon + 1));
}

BodyFraming read_body_framing(const FieldViews& fields, int version) noexcept {
    BodyFraming framing;
    const auto coding = find_field(fields, "Transfer-Encoding");
    const auto length = find_field(fields, "Content-Length");
    if (length) {
        framing.content_length = parse_content_length(*length);
        if (!framing.content_length) {
            framing.problem = "Content-Length is not a number of 1 to 10 digits";
        } else if (count_fields(fields, "Content-Length") > 1) {
            framing.problem = "more than one Content-Length";
        }
    }
    if (!coding || framing.problem != nullptr) return framing;

    if (length) {
        framing.problem = "Transfer-Encoding together with Content-Length";
    } else if (count_fields(fields, "Transfer-Encoding") > 1) {
        framing.problem = "more than one Transfer-Encoding";
    } else if (version < 11) {
        framing.problem = "Transfer-Encoding in HTTP/1.0";
    } else if (equals_ignoring_case(*coding, "chunked")) {
        framing.is_chunked = true;
    } else {
        framing.problem = judge_coding(*coding, framing);
    }
    return framing;
}

bool wants_keep_alive(const FieldViews& fields, int version) noexcept {
    if (has_token(fields, "Connection", "close")) return false;
    return version >= 11 || has_token(fields, "Connection", "keep-alive");
}

}  // namespace fanfare
