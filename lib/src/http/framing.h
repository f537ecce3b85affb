#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fanfare {

/// The first look at the head of an HTTP/1 message, before any parser sees it: where it ends, and
/// whether it holds a byte that no head may hold. Boost 1.81's Beast lets obs-fold and other
/// request-smuggling forms through (SPEC 4).
struct HeadScan {
    enum class State { incomplete, complete, bad };

    State state = State::incomplete;
    std::size_t size = 0;           ///< complete: length of the head with its blank line
    const char* problem = nullptr;  ///< bad: what is wrong, a constant phrase
};

/// Looks at a head that comes in pieces without looking at any byte twice.
class HeadScanner {
  public:
    /// Trailers are the fields behind a chunked body, up to and with their blank line.
    enum class Kind : std::uint8_t { request, response, trailers };

    explicit HeadScanner(Kind kind) noexcept;

    /// `bytes` is the message from its first byte on: in each call what it was in the call before,
    /// with more behind it.
    HeadScan scan(std::string_view bytes) noexcept;

  private:
    enum class State : std::uint8_t {
        method,
        target,
        version,
        status,
        reason,
        line_feed,
        field,
        name,
        value,
        last_line_feed,
    };

    const char* step(std::string_view bytes) noexcept;
    const char* step_version(unsigned char byte) noexcept;
    const char* step_status(unsigned char byte) noexcept;
    const char* step_field(unsigned char byte) noexcept;
    const char* end_text(unsigned char byte, const char* problem) noexcept;

    Kind kind_;
    State state_;
    std::uint8_t part_ = 0;  ///< how far version or status has come
    std::size_t position_ = 0;
    std::size_t part_start_ = 0;
};

/// Looks at `bytes`, the message from its first byte on. What makes it bad: obs-fold, white space
/// before the first field or before a colon, bare CR or LF, NUL and other control bytes (HTAB in
/// values is allowed, 80-FF too), a field without colon or with a name that is no token.
/// The start line is checked for its form only: three parts for a request, single blanks.
HeadScan scan_request_head(std::string_view bytes);
HeadScan scan_response_head(std::string_view bytes);

}  // namespace fanfare
