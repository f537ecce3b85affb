#include "http/field_values.h"

#include <algorithm>

#include "base/digits.h"
#include "http/byte_set.h"

namespace fanfare {
namespace {

constexpr bool is_hex_digit(char c) noexcept { return hex_value(c) >= 0; }

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

/// A number of 1 to `digits_max` digits, and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text, std::size_t digits_max) noexcept {
    if (text.empty() || text.size() > digits_max) return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
}

bool is_valid_port(std::string_view port) noexcept {
    if (port.empty()) return true;  // RFC 3986 lets the digits be missing
    const auto number = parse_number(port, 5);
    return number && *number <= 65535;
}

bool is_escape(std::string_view text) noexcept {
    return text.size() == 3 && text[0] == '%' && is_hex_digit(text[1]) && is_hex_digit(text[2]);
}

/// Where the name ends that `value` begins with.
std::size_t skip_name(std::string_view value) noexcept {
    std::size_t position = skip(value, 0, name_bytes);
    while (is_escape(value.substr(position, 3))) position = skip(value, position + 3, name_bytes);
    return position;
}

bool is_valid_bracketed(std::string_view address) noexcept {
    const auto fits = [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; };
    return address.size() >= 2 && address.find(':') != std::string_view::npos &&
           std::all_of(address.begin(), address.end(), fits);
}

/// Adds what one field says.
void read_options(const Field& field, ConnectionWish& wish) noexcept {
    const bool counts = field.known_name == FieldName::connection;
    if (counts && field.value == "keep-alive") {  // as most say it
        wish.wants_keep_alive = true;
        return;
    }
    for (std::string_view rest = field.value; !rest.empty();) {
        const std::string_view option = take_element(rest);
        if (equals_ignoring_case(option, "keep-alive")) {
            wish.wants_keep_alive |= counts;
        } else if (equals_ignoring_case(option, "close")) {
            wish.wants_close |= counts;
        } else if (!option.empty() && !is_token(option)) {
            wish.problem = "Connection is not a list of tokens";
        }
    }
}

/// What is wrong with a Transfer-Encoding that is not just `chunked`. Sets has_unknown_coding if
/// it is well-formed, but names a coding that we do not know.
const char* judge_coding(std::string_view value, BodyFraming& framing) noexcept {
    bool is_known = true;
    std::string_view rest = value;
    do {
        const std::string_view coding = take_element(rest);
        const std::string_view name = trim(coding.substr(0, coding.find(';')));
        if (!is_token(name)) return "Transfer-Encoding is malformed";
        if (!equals_ignoring_case(name, "chunked")) is_known = false;
    } while (!rest.empty());
    if (is_known) return "Transfer-Encoding is not just chunked";
    framing.has_unknown_coding = true;
    return "this transfer coding is not supported";
}

}  // namespace

bool is_token(std::string_view text) noexcept {
    return !text.empty() && skip(text, 0, token_bytes) == text.size();
}

const char* check_version(int version) noexcept {
    if (version == 10 || version == 11) return nullptr;
    return "only HTTP/1.0 and HTTP/1.1 are supported";
}

std::optional<std::uint64_t> parse_content_length(std::string_view value) noexcept {
    return parse_number(value, 10);
}

bool is_valid_host(std::string_view value) noexcept {
    if (value.starts_with('[')) {
        const std::size_t end = value.find(']');
        if (end == std::string_view::npos) return false;
        const std::string_view rest = value.substr(end + 1);
        return is_valid_bracketed(value.substr(1, end - 1)) &&
               (rest.empty() || (rest.front() == ':' && is_valid_port(rest.substr(1))));
    }
    const std::size_t end = skip_name(value);
    if (end == value.size()) return end > 0;
    return end > 0 && value[end] == ':' && is_valid_port(value.substr(end + 1));
}

BodyFraming read_body_framing(const FieldViews& fields, int version) noexcept {
    BodyFraming framing;
    const auto coding = fields.find(FieldName::transfer_encoding);
    const auto length = fields.find(FieldName::content_length);
    if (length) {
        framing.content_length = parse_content_length(*length);
        if (!framing.content_length) {
            framing.problem = "Content-Length is not a number of 1 to 10 digits";
        } else if (fields.has_many(FieldName::content_length)) {
            framing.problem = "more than one Content-Length";
        }
    }
    if (!coding || framing.problem != nullptr) return framing;

    if (length) {
        framing.problem = "Transfer-Encoding together with Content-Length";
    } else if (fields.has_many(FieldName::transfer_encoding)) {
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

ConnectionWish read_connection(const FieldViews& fields) noexcept {
    ConnectionWish wish;
    for (const FieldName name : {FieldName::connection, FieldName::proxy_connection}) {
        if (!fields.has(name)) continue;
        for (const Field& field : fields) {
            if (field.known_name == name) read_options(field, wish);
        }
    }
    return wish;
}

}  // namespace fanfare
