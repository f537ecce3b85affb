#include "http/framing.h"

#include <array>

#include "http/field_values.h"

namespace fanfare {
namespace {

constexpr std::string_view version_form = "HTTP/0.0";  // 0: any digit

using ByteSet = std::array<bool, 256>;

constexpr ByteSet make_visible() {
    ByteSet set{};
    for (std::size_t byte = 0x21; byte < 256; ++byte) set[byte] = byte != 0x7f;
    return set;
}

constexpr ByteSet make_text() {
    ByteSet set = make_visible();
    set[' '] = true;
    set['\t'] = true;
    return set;
}

constexpr ByteSet visible = make_visible();
constexpr ByteSet text = make_text();

std::size_t skip(std::string_view bytes, std::size_t position, const ByteSet& set) noexcept {
    while (position < bytes.size() && set[static_cast<unsigned char>(bytes[position])]) ++position;
    return position;
}

bool is_digit(unsigned char byte) noexcept { return byte >= '0' && byte <= '9'; }

}  // namespace

HeadScanner::HeadScanner(Kind kind) noexcept : kind_(kind), state_(State::field) {
    if (kind == Kind::request) state_ = State::method;
    if (kind == Kind::response) state_ = State::version;
}

HeadScan HeadScanner::scan(std::string_view bytes) noexcept {
    HeadScan result;
    while (position_ < bytes.size()) {
        const bool is_last = state_ == State::last_line_feed;
        result.problem = step(bytes);
        if (result.problem != nullptr) {
            result.state = HeadScan::State::bad;
            return result;
        }
        if (is_last) {
            result.state = HeadScan::State::complete;
            result.size = position_;
            return result;
        }
    }
    return result;
}

/// Takes one byte, or a run of bytes of the same kind; returns what is wrong with it.
const char* HeadScanner::step(std::string_view bytes) noexcept {
    const auto byte = static_cast<unsigned char>(bytes[position_]);
    switch (state_) {
        case State::method:
        case State::name:
            if (is_token_byte(byte)) {
                while (position_ < bytes.size() && is_token_byte(bytes[position_])) ++position_;
                return nullptr;
            }
            break;
        case State::target:
            if (visible[byte]) {
                position_ = skip(bytes, position_, visible);
                return nullptr;
            }
            break;
        case State::reason:
        case State::value:
            if (text[byte]) {
                position_ = skip(bytes, position_, text);
                return nullptr;
            }
            break;
        default:
            break;
    }

    const std::size_t length = position_ - part_start_;
    ++position_;
    switch (state_) {
        case State::method:
            if (byte != ' ' || length == 0) return "the method is not a token";
            state_ = State::target;
            part_start_ = position_;
            return nullptr;
        case State::target:
            if (byte != ' ' || length == 0) return "the request line is malformed";
            state_ = State::version;
            return nullptr;
        case State::version:
            return step_version(byte);
        case State::status:
            return step_status(byte);
        case State::reason:
            return end_text(byte, "control byte in the status line");
        case State::line_feed:
            if (byte != '\n') return "bare CR in the head";
            state_ = State::field;
            return nullptr;
        case State::field:
            return step_field(byte);
        case State::name:
            if (byte == ' ' || byte == '\t') return "white space before the colon of a field";
            if (byte == '\r' || byte == '\n') return "field without a colon";
            if (byte != ':') return "field name is not a token";
            state_ = State::value;
            return nullptr;
        case State::value:
            return end_text(byte, "control byte in a field value");
        case State::last_line_feed:
            return byte == '\n' ? nullptr : "bare CR in the head";
    }
    return "the head is malformed";
}

const char* HeadScanner::step_version(unsigned char byte) noexcept {
    const char* const problem =
        kind_ == Kind::request ? "the request line is malformed" : "the status line is malformed";
    if (part_ < version_form.size()) {
        const char expected = version_form[part_++];
        const bool fits = expected == '0' ? is_digit(byte) : byte == expected;
        return fits ? nullptr : problem;
    }
    part_ = 0;
    state_ = kind_ == Kind::request ? State::line_feed : State::status;
    return byte == (kind_ == Kind::request ? '\r' : ' ') ? nullptr : problem;
}

const char* HeadScanner::step_status(unsigned char byte) noexcept {
    if (part_ < 3) {
        ++part_;
        return is_digit(byte) ? nullptr : "the status is not a number of three digits";
    }
    state_ = State::reason;
    return byte == ' ' ? nullptr : "the status is not a number of three digits";
}

const char* HeadScanner::step_field(unsigned char byte) noexcept {
    if (byte == '\r') {
        state_ = State::last_line_feed;
        return nullptr;
    }
    if (byte == ' ' || byte == '\t') return "line that begins with white space";
    if (byte == '\n') return "bare LF in the head";
    if (!is_token_byte(byte)) return "field name is not a token";
    state_ = State::name;
    return nullptr;
}

const char* HeadScanner::end_text(unsigned char byte, const char* problem) noexcept {
    if (byte == '\n') return "bare LF in the head";
    if (byte != '\r') return problem;
    state_ = State::line_feed;
    return nullptr;
}

HeadScan scan_request_head(std::string_view bytes) {
    return HeadScanner(HeadScanner::Kind::request).scan(bytes);
}

HeadScan scan_response_head(std::string_view bytes) {
    return HeadScanner(HeadScanner::Kind::response).scan(bytes);
}

}  // namespace fanfare
