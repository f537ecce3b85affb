#include "http/chunked_body.h"

#include <algorithm>

#include "base/digits.h"

namespace fanfare {
namespace {

// 15 digits cannot overflow; more are only needed by who pads with zeros or means to overflow.
constexpr std::uint8_t size_digits_max = 15;

}  // namespace

ChunkedBody::Step ChunkedBody::step(std::string_view bytes) {
    Step result;
    while (result.consumed < bytes.size() && state_ != State::done && state_ != State::failed) {
        const std::string_view rest = bytes.substr(result.consumed);
        if (state_ == State::data) {
            result.data = rest.substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(size_, rest.size())));
            size_ -= result.data.size();
            result.consumed += result.data.size();
            if (size_ == 0) state_ = State::data_return;
            return result;
        }
        if (state_ == State::trailers) {
            result.consumed += take_trailers(rest);
        } else {
            take(rest.front());
            if (state_ != State::failed) ++result.consumed;
        }
    }
    return result;
}

void ChunkedBody::take(char byte) {
    switch (state_) {
        case State::size_start:
        case State::size:
            take_size(byte);
            return;
        case State::extension:
            take_extension(byte);
            return;
        case State::size_line_feed:
            if (byte != '\n') return fail(Problem::malformed, "bare CR behind a chunk size");
            end_size_line();
            return;
        case State::data_return:
            if (byte != '\r') return fail(Problem::malformed, "chunk longer than its size");
            state_ = State::data_line_feed;
            return;
        case State::data_line_feed:
            if (byte != '\n') return fail(Problem::malformed, "bare CR behind a chunk");
            state_ = State::size_start;
            size_ = 0;
            size_digits_ = 0;
            return;
        case State::data:
        case State::trailers:
        case State::done:
        case State::failed:
            return;
    }
}

void ChunkedBody::take_size(char byte) {
    const int value = hex_value(byte);
    if (value >= 0) {
        if (++size_digits_ > size_digits_max)
            return fail(Problem::malformed, "chunk size too long");
        size_ = size_ * 16 + static_cast<std::uint64_t>(value);
        state_ = State::size;
        return;
    }
    if (state_ == State::size_start) return fail(Problem::malformed, "chunk without a size");
    if (byte == '\r') {
        state_ = State::size_line_feed;
    } else if (byte == ';') {
        state_ = State::extension;
    } else {
        fail(Problem::malformed, "chunk size is not a hexadecimal number");
    }
}

void ChunkedBody::take_extension(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    if (byte == '\r') {
        state_ = State::size_line_feed;
    } else if ((value < 0x20 && byte != '\t') || value == 0x7f) {
        fail(Problem::malformed, "control byte in a chunk extension");
    } else if (++extension_bytes_ > extension_bytes_max) {
        fail(Problem::malformed, "chunk extensions too long");
    }
}

void ChunkedBody::end_size_line() {
    if (size_ > left_) return fail(Problem::too_long, "the body is too large");
    left_ -= size_;
    state_ = size_ == 0 ? State::trailers : State::data;
}

std::size_t ChunkedBody::take_trailers(std::string_view bytes) {
    const std::size_t before = trailers_.size();
    const std::size_t room = trailer_bytes_max - before;
    trailers_.append(bytes.substr(0, room));
    const HeadScan scan = trailer_scanner_.scan(trailers_);
    switch (scan.state) {
        case HeadScan::State::incomplete:
            if (bytes.size() < room) return bytes.size();
            fail(Problem::trailers_too_long, "the trailers are too long");
            return 0;
        case HeadScan::State::complete:
            state_ = State::done;
            return scan.size - before;
        case HeadScan::State::bad:
            fail(Problem::malformed, scan.problem);
            return 0;
    }
    return 0;
}

void ChunkedBody::fail(Problem problem, const char* message) {
    state_ = State::failed;
    problem_ = problem;
    message_ = message;
}

}  // namespace fanfare
