#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::command {

/// stdout as a terminal's second screen, for as long as this lives: what stood on the terminal is
/// there again afterwards.
class Screen {
  public:
    /// What puts the terminal in order again.
    static constexpr std::string_view farewell = "\x1b[?25h\x1b[?1049l";

    Screen();
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// Puts the screen's text in the place of the one before, without a flicker; what does not fit
    /// is cut off. The result is that of print().
    [[nodiscard]] std::optional<int> show(std::string_view text) const;
};

/// As much of `text` as `columns` by `rows` characters hold; if lines are left out, the last one
/// says how many.
std::string fitted(std::string_view text, std::size_t columns, std::size_t rows);

}  // namespace fanfare::command
