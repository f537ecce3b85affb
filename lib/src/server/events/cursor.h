#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// The last seq that a reader has seen, and the instance that it saw it of: `<instance>:<seq>`.
struct Cursor {
    std::string instance;  ///< empty: this one
    std::uint64_t seq = 0;

    /// A bare number is one of this instance. Nothing if it is neither.
    static std::optional<Cursor> parse(std::string_view text);
};

}  // namespace fanfare
