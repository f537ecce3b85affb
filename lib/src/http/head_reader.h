#pragma once

#include <string>
#include <string_view>

#include "http/fields.h"
#include "http/framing.h"

namespace fanfare {

/// Gathers the head of a message, in however many pieces it comes, and takes it apart. A head that
/// is whole at once, as most are, is copied once.
class HeadReader {
  public:
    /// What an idle connection may keep for the next head.
    static constexpr std::size_t bytes_kept_max = 2048;
    static constexpr std::size_t fields_kept_max = 32;

    struct Step {
        enum class State { incomplete, complete, too_large, bad };

        State state = State::incomplete;
        std::size_t consumed = 0;       ///< bytes that are done with; 0 if too large or bad
        const char* problem = nullptr;  ///< bad: what is wrong, a constant phrase
    };

    explicit HeadReader(HeadScanner::Kind kind) noexcept : scanner_(kind) {}

    /// Takes the next bytes of a head of `size_max` bytes at most, the same in each call, up to its
    /// end. Not to be called again before clear() once the head is not incomplete any more.
    Step read(std::string_view bytes, std::size_t size_max);

    bool has_begun() const noexcept { return !text_.empty(); }

    // Once the head is complete. What points into it is good until clear().
    std::size_t size() const noexcept { return text_.size(); }
    std::string_view method() const noexcept { return scanner_.parts().method.in(text_); }
    std::string_view target() const noexcept { return scanner_.parts().target.in(text_); }
    int version() const noexcept { return scanner_.parts().version; }
    int status() const noexcept { return scanner_.parts().status; }
    /// Puts the fields behind those that are in `fields`.
    void list_fields(FieldViews& fields) const;

    /// For the next head. Memory that may be needed again is kept, within the bounds above.
    void clear() noexcept;

  private:
    HeadScanner scanner_;
    std::string text_;
};

}  // namespace fanfare
