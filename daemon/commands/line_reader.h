#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace fanfare::command {

/// Puts lines together from a text that comes in pieces.
class LineReader {
  public:
    enum class State : std::uint8_t {
        more,      ///< all is taken; a line's beginning may be kept
        enough,    ///< the taker wanted no more
        too_long,  ///< a line without an end
    };

    explicit LineReader(std::size_t line_bytes_max) noexcept : line_bytes_max_(line_bytes_max) {}

    /// Gives `take` each line without its end, until it says false. After anything but `more` the
    /// rest of `bytes` is lost: only clear() is of use then.
    State feed(std::string_view bytes, const std::function<bool(std::string_view)>& take);

    /// Forgets a line's beginning.
    void clear() noexcept { begun_.clear(); }

  private:
    std::size_t line_bytes_max_;
    std::string begun_;
};

}  // namespace fanfare::command
