#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace fanfare {

/// A text that nobody but its user may see: whoever prints it prints `<redacted>`.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}

    /// The text itself: for what is sent or computed with it, never for a message.
    const std::string& reveal() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }

    bool operator==(const Secret&) const = default;

    friend std::ostream& operator<<(std::ostream& out, const Secret&) {
        return out << "<redacted>";
    }

  private:
    std::string text_;
};

}  // namespace fanfare
