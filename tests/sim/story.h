#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/manual_clock.h"

namespace fanfare::sim {

inline void append(std::string& text, std::string_view part) { text += part; }
inline void append(std::string& text, std::uint64_t part) { text += std::to_string(part); }
inline void append(std::string& text, unsigned part) { text += std::to_string(part); }
inline void append(std::string& text, int part) { text += std::to_string(part); }
inline void append(std::string& text, bool part) { text += part ? "yes" : "no"; }
inline void append(std::string& text, const char* part) { text += part; }
/// In milliseconds, as most of it takes that long.
void append(std::string& text, Duration part);

template <class... Parts>
std::string joined(const Parts&... parts) {
    std::string text;
    (append(text, parts), ...);
    return text;
}

/// What happens in one run, line by line, and what was wrong with it. Two runs of a seed tell the
/// same story.
class Story {
  public:
    Story(const test::ManualClock& clock, bool is_verbose)
        : clock_(clock), began_(clock.now()), is_verbose_(is_verbose) {}

    template <class... Parts>
    void tell(const Parts&... parts) {
        add(joined(parts...));
    }

    /// Something that must not be. The run ends soon; what comes after it means nothing.
    template <class... Parts>
    void fail(const Parts&... parts) {
        if (has_failed()) return;
        failures_.push_back(joined(parts...));
        add("FAILED: " + failures_.back());
    }

    bool has_failed() const noexcept { return !failures_.empty(); }
    bool is_verbose() const noexcept { return is_verbose_; }
    const std::vector<std::string>& failures() const noexcept { return failures_; }
    /// The end of it.
    const std::deque<std::string>& last_lines() const noexcept { return lines_; }
    std::uint64_t hash() const noexcept { return hash_; }

  private:
    static constexpr std::size_t lines_max = 60;
    void add(const std::string& line);

    const test::ManualClock& clock_;
    const TimePoint began_;
    const bool is_verbose_;
    std::deque<std::string> lines_;
    std::vector<std::string> failures_;
    std::uint64_t hash_ = 14695981039346656037U;
};

}  // namespace fanfare::sim
