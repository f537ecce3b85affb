#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// How an event came about.
enum class EventSource : std::uint8_t {
    http,    ///< somebody has sent it
    meta,    ///< the daemon tells something of itself
    replay,  ///< a dead letter that is queued again
};
std::string_view to_string(EventSource source) noexcept;

/// How many events there were of each source and action. Bounded: whoever sends a new action with
/// each event gets them counted as others. One thread at a time.
class EventTally {
  public:
    static constexpr std::size_t pairs_max = 200;
    /// Of a longer action this much stands for it.
    static constexpr std::size_t action_bytes_max = 256;

    struct Pair {
        EventSource source;
        std::string action;
        std::uint64_t count;
    };

    /// Without memory for a new pair the event is one of the others.
    void add(EventSource source, std::string_view action) noexcept;

    std::uint64_t total() const noexcept { return total_; }
    /// Those of pairs beyond the bound.
    std::uint64_t others() const noexcept { return others_; }
    /// The most frequent first.
    std::vector<Pair> pairs() const;

  private:
    using Counts = std::map<std::string, std::uint64_t, std::less<>>;
    std::uint64_t* count_of(EventSource source, std::string_view action);

    std::array<Counts, 3> by_source_;
    std::size_t size_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t others_ = 0;
};

}  // namespace fanfare
