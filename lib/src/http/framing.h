#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fanfare {

/// A look at the head of an HTTP/1 message: where it ends, and whether it is one at all (SPEC 4).
struct HeadScan {
    enum class State { incomplete, complete, bad };

    State state = State::incomplete;
    std::size_t size = 0;           ///< complete: length of the head with its blank line
    const char* problem = nullptr;  ///< bad: what is wrong, a constant phrase
};

/// A stretch of a text, as offsets: it stays right when the text moves.
struct TextSpan {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    std::string_view in(std::string_view text) const noexcept {
        return {text.data() + begin, end - begin};
    }
};

/// Where the parts of a head lie in its text.
struct HeadParts {
    struct Field {
        TextSpan name;
        TextSpan value;  ///< without the blanks around it
    };

    TextSpan method;  ///< of a request
    TextSpan target;  ///< of a request
    int status = 0;   ///< of a response; any number of three digits
    int version = 0;  ///< 11 for 1.1; any two digits
    std::vector<Field> fields;
};

/// Takes a head apart in one pass, also one that comes in pieces: no byte is looked at twice.
///
/// What makes a head bad: obs-fold, white space before the first field or before a colon, bare CR
/// or LF, NUL and other control bytes (HTAB in values is allowed, 80-FF too), a field without colon
/// or with a name that is no token; a start line that is not of its form, with single blanks.
/// What the parts mean is not looked at.
class HeadScanner {
  public:
    /// Trailers are the fields behind a chunked body, up to and with their blank line. Nobody asks
    /// for them, so their parts are not noted.
    enum class Kind : std::uint8_t { request, response, trailers };

    explicit HeadScanner(Kind kind) noexcept;

    /// `bytes` is the message from its first byte on: in each call what it was in the call before,
    /// with more behind it. It may lie elsewhere. Less than 4 GiB.
    HeadScan scan(std::string_view bytes);

    /// Once the scan is complete.
    const HeadParts& parts() const noexcept { return parts_; }

    /// For the next head. Memory is kept for as many fields as `fields_kept_max`.
    void reset(std::size_t fields_kept_max) noexcept;

  private:
    /// What comes next.
    enum class State : std::uint8_t {
        method,
        target,
        version,
        status,  ///< with the version before it
        reason,
        fields,
        end,
    };

    static State first_state(Kind kind) noexcept;

    const char* take_method(std::string_view bytes) noexcept;
    const char* take_target(std::string_view bytes) noexcept;
    const char* take_version(std::string_view bytes) noexcept;
    const char* take_status(std::string_view bytes) noexcept;
    const char* take_reason(std::string_view bytes) noexcept;
    const char* take_fields(std::string_view bytes);
    const char* take_blank_line(std::string_view bytes) noexcept;
    void begin_line(std::size_t position) noexcept;

    Kind kind_;
    State state_;
    std::size_t position_ = 0;    // all before it has been looked at
    std::size_t line_start_ = 0;  // of a field
    std::size_t colon_ = 0;       // behind its name, once found
    HeadParts parts_;
};

/// Looks at `bytes`, the message from its first byte on.
HeadScan scan_request_head(std::string_view bytes);
HeadScan scan_response_head(std::string_view bytes);

}  // namespace fanfare
