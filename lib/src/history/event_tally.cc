#include "fanfare/event_tally.h"

#include <algorithm>

#include "base/utf8.h"

namespace fanfare {

std::string_view to_string(EventSource source) noexcept {
    switch (source) {
        case EventSource::http:
            return "http";
        case EventSource::meta:
            return "meta";
        case EventSource::replay:
            break;
    }
    return "replay";
}

void EventTally::add(EventSource source, std::string_view action) noexcept {
    ++total_;
    try {
        std::uint64_t* count = count_of(source, shortened(action, action_bytes_max));
        ++(count ? *count : others_);
    } catch (...) {
        ++others_;
    }
}

/// None if there is no place for a new pair.
std::uint64_t* EventTally::count_of(EventSource source, std::string_view action) {
    Counts& counts = by_source_.at(static_cast<std::size_t>(source));
    const auto found = counts.find(action);
    if (found != counts.end()) return &found->second;
    if (size_ == pairs_max) return nullptr;
    std::uint64_t& count = counts[std::string(action)];
    ++size_;
    return &count;
}

std::vector<EventTally::Pair> EventTally::pairs() const {
    std::vector<Pair> pairs;
    pairs.reserve(size_);
    for (std::size_t source = 0; source < by_source_.size(); ++source) {
        for (const auto& [action, count] : by_source_.at(source)) {
            pairs.push_back({static_cast<EventSource>(source), action, count});
        }
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.count > b.count; });
    return pairs;
}

}  // namespace fanfare
