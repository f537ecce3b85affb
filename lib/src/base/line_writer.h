#pragma once

#include <string_view>

namespace fanfare {

/// Writes lines to a descriptor and never waits for whoever reads them: a log that nobody reads
/// must not stop what is logged about. Any thread, one at a time. The descriptor stays the
/// caller's, and blocking: others may write to it too. But if another process fills the same pipe
/// between our look at it and our write, that write waits for the reader.
class LineWriter {
  public:
    explicit LineWriter(int descriptor) noexcept : descriptor_(descriptor) {}

    /// `line` with its end. False if it would have to wait, or cannot be stored: the line is lost,
    /// or its end is. True where all is lost anyway, as the descriptor is closed at either end.
    bool write(std::string_view line) noexcept;

  private:
    bool put(std::string_view text) noexcept;

    int descriptor_;
    bool is_line_cut_ = false;
};

}  // namespace fanfare
