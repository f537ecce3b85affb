#pragma once

#include <cstddef>
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

/// Looks at `bytes`, the message from its first byte on. What makes it bad: obs-fold, white space
/// before the first field or before a colon, bare CR or LF, NUL and other control bytes (HTAB in
/// values is allowed, 80-FF too), a field without colon or with a name that is no token.
/// The start line is checked for its form only: three parts for a request, single blanks.
HeadScan scan_request_head(std::string_view bytes);
HeadScan scan_response_head(std::string_view bytes);

}  // namespace fanfare
