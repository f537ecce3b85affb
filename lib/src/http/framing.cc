#include "http/framing.h"

#include <algorithm>
#include <cstring>

#include "base/digits.h"
#include "http/byte_set.h"

namespace fanfare {
namespace {

// In these forms, 0 stands for any digit.
constexpr std::string_view request_line_end = "HTTP/0.0\r\n";
constexpr std::string_view status_line_begin = "HTTP/0.0 000 ";
constexpr std::size_t line_end_size = 2;

/// As starts_with(), but for a size that the compiler knows.
template <std::size_t Size>
bool begins_with(std::string_view bytes, const char (&text)[Size]) noexcept {
    return bytes.size() >= Size - 1 && std::memcmp(bytes.data(), text, Size - 1) == 0;
}

int digit_value(char digit) noexcept { return digit - '0'; }
bool is_blank(char byte) noexcept { return byte == ' ' || byte == '\t'; }

/// Whether `bytes` begin as `form` says, as far as they go.
bool fits(std::string_view bytes, std::string_view form) noexcept {
    const std::size_t size = std::min(bytes.size(), form.size());
    for (std::size_t i = begins_with(bytes, "HTTP/1.1") ? 8 : 0; i < size; ++i) {
        if (bytes[i] != form[i] && !(form[i] == '0' && is_digit(bytes[i]))) return false;
    }
    return true;
}

int read_version(std::string_view text) noexcept {
    return digit_value(text[5]) * 10 + digit_value(text[7]);
}

TextSpan span(std::size_t begin, std::size_t end) noexcept {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

TextSpan trim(std::string_view bytes, std::size_t begin, std::size_t end) noexcept {
    while (begin < end && is_blank(bytes[begin])) ++begin;
    while (begin < end && is_blank(bytes[end - 1])) --end;
    return span(begin, end);
}

/// `rest` does not begin with a line end: nothing is wrong if it is only too short for that.
const char* problem_of_line_end(std::string_view rest, const char* control_byte) noexcept {
    if (rest.empty() || rest == "\r") return nullptr;
    if (rest[0] == '\n') return "bare LF in the head";
    return rest[0] == '\r' ? "bare CR in the head" : control_byte;
}

/// `byte` stands where the colon behind a name should.
const char* problem_of_name(char byte) noexcept {
    if (is_blank(byte)) return "white space before the colon of a field";
    if (byte == '\r' || byte == '\n') return "field without a colon";
    return "field name is not a token";
}

}  // namespace

HeadScanner::HeadScanner(Kind kind) noexcept : kind_(kind), state_(first_state(kind)) {}

HeadScanner::State HeadScanner::first_state(Kind kind) noexcept {
    switch (kind) {
        case Kind::request:
            return State::method;
        case Kind::response:
            return State::status;
        case Kind::trailers:
            break;
    }
    return State::fields;
}

void HeadScanner::reset(std::size_t fields_kept_max) noexcept {
    state_ = first_state(kind_);
    position_ = 0;
    line_start_ = 0;
    colon_ = 0;
    parts_.fields.clear();
    if (parts_.fields.capacity() > fields_kept_max)
        std::vector<HeadParts::Field>().swap(parts_.fields);
}

HeadScan HeadScanner::scan(std::string_view bytes) {
    const char* problem = nullptr;
    if (state_ == State::method) problem = take_method(bytes);
    if (state_ == State::target) problem = take_target(bytes);
    if (state_ == State::version) problem = take_version(bytes);
    if (state_ == State::status) problem = take_status(bytes);
    if (state_ == State::reason) problem = take_reason(bytes);
    if (state_ == State::fields) problem = take_fields(bytes);

    if (problem != nullptr) return {HeadScan::State::bad, 0, problem};
    if (state_ == State::end) return {HeadScan::State::complete, position_, nullptr};
    return {};
}

// Each of the functions below goes on where it stopped, comes as far as the bytes do, and returns
// what is wrong with them. What has a fixed length is taken only when all of it is there.

const char* HeadScanner::take_method(std::string_view bytes) noexcept {
    position_ = skip(bytes, position_, token_bytes);
    if (position_ == bytes.size()) return nullptr;
    if (bytes[position_] != ' ' || position_ == 0) return "the method is not a token";
    parts_.method = span(0, position_);
    ++position_;
    state_ = State::target;
    return nullptr;
}

const char* HeadScanner::take_target(std::string_view bytes) noexcept {
    const std::size_t begin = parts_.method.end + 1;
    position_ = skip(bytes, position_, visible_bytes);
    if (position_ == bytes.size()) return nullptr;
    if (bytes[position_] != ' ' || position_ == begin) return "the request line is malformed";
    parts_.target = span(begin, position_);
    ++position_;
    state_ = State::version;
    return nullptr;
}

const char* HeadScanner::take_version(std::string_view bytes) noexcept {
    const std::string_view rest = bytes.substr(position_);
    if (!fits(rest, request_line_end)) return "the request line is malformed";
    if (rest.size() < request_line_end.size()) return nullptr;
    parts_.version = read_version(rest);
    begin_line(position_ + request_line_end.size());
    return nullptr;
}

const char* HeadScanner::take_status(std::string_view bytes) noexcept {
    if (!fits(bytes, status_line_begin)) return "the status line is malformed";
    if (bytes.size() < status_line_begin.size()) return nullptr;
    parts_.version = read_version(bytes);
    parts_.status =
        digit_value(bytes[9]) * 100 + digit_value(bytes[10]) * 10 + digit_value(bytes[11]);
    position_ = status_line_begin.size();
    state_ = State::reason;
    return nullptr;
}

const char* HeadScanner::take_reason(std::string_view bytes) noexcept {
    position_ = skip_text(bytes, position_);
    const std::string_view rest = bytes.substr(position_);
    if (!begins_with(rest, "\r\n")) {
        return problem_of_line_end(rest, "control byte in the status line");
    }
    begin_line(position_ + line_end_size);
    return nullptr;
}

/// Takes the fields and the blank line behind them.
const char* HeadScanner::take_fields(std::string_view bytes) {
    while (true) {
        if (colon_ == 0) {
            position_ = skip(bytes, position_, token_bytes);
            if (position_ == bytes.size()) return nullptr;
            if (position_ == line_start_) return take_blank_line(bytes);
            if (bytes[position_] != ':') return problem_of_name(bytes[position_]);
            colon_ = position_++;
        }
        position_ = skip_text(bytes, position_);
        const std::string_view rest = bytes.substr(position_);
        if (!begins_with(rest, "\r\n")) {
            return problem_of_line_end(rest, "control byte in a field value");
        }
        if (kind_ != Kind::trailers) {
            const TextSpan value = trim(bytes, colon_ + 1, position_);
            parts_.fields.push_back({span(line_start_, colon_), value});
        }
        begin_line(position_ + line_end_size);
    }
}

const char* HeadScanner::take_blank_line(std::string_view bytes) noexcept {
    const std::string_view rest = bytes.substr(position_);
    if (begins_with(rest, "\r\n")) {
        position_ += line_end_size;
        state_ = State::end;
        return nullptr;
    }
    if (is_blank(rest[0])) return "line that begins with white space";
    return problem_of_line_end(rest, "field name is not a token");
}

void HeadScanner::begin_line(std::size_t position) noexcept {
    position_ = position;
    line_start_ = position;
    colon_ = 0;
    state_ = State::fields;
}

HeadScan scan_request_head(std::string_view bytes) {
    return HeadScanner(HeadScanner::Kind::request).scan(bytes);
}

HeadScan scan_response_head(std::string_view bytes) {
    return HeadScanner(HeadScanner::Kind::response).scan(bytes);
}

}  // namespace fanfare
