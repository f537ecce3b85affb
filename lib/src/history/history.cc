#include "fanfare/history.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace fanfare {
namespace {

/// In place of an event that is too large to be kept.
std::string stub_of(const Event& event) {
    constexpr std::size_t field_bytes_max = 256;
    nlohmann::ordered_json stub;
    stub["truncated"] = true;
    stub["size"] = event.payload().size();
    stub["id"] = shortened(event.id(), field_bytes_max);
    if (!event.action().empty()) stub["action"] = shortened(event.action(), field_bytes_max);
    return stub.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

EventFields fields_of(const Event& event) {
    EventFields fields;
    fields.id = event.id();
    fields.action = event.action();
    fields.target_media_type = event.target_media_type();
    return fields;
}

}  // namespace

struct History::Watch::State {
    Executor loop;
    std::function<void()> on_more;  // the loop's; empty once the watch is gone
    bool is_armed = false;          // guarded by the history's mutex

    /// On any thread.
    static void ring(const std::shared_ptr<State>& state) {
        net::post(state->loop, [state] {
            if (state->on_more) state->on_more();
        });
    }
};

History::History(Clock& clock, HistoryOptions options, std::uint64_t last_seq)
    : clock_(clock), options_(options) {
    counts_.range.lowest = last_seq + 1;
    counts_.range.next = last_seq + 1;
    stats_.since = clock.wall();
}

History::~History() = default;

History::Copies History::copy(std::span<const std::shared_ptr<Event>> events) const {
    const HistoryOptions options = this->options();
    Copies copies;
    copies.count = events.size();
    if (options.capacity == 0) return copies;
    copies.events.reserve(events.size());
    const std::size_t bytes_max = std::min(options.event_bytes_max, options.bytes_max);
    for (const std::shared_ptr<Event>& event : events) {
        if (event->payload().size() <= bytes_max) {
            copies.events.push_back(copy_of(*event));
        } else {
            ++copies.truncated;
            copies.events.push_back(Event::make(stub_of(*event), fields_of(*event), event->type()));
        }
    }
    return copies;
}

/// Outside of strings, where JSON allows none, ends of lines are mere blanks. A registry's events
/// have one every thirty bytes or so.
EventPtr History::copy_of(const Event& event) const {
    const std::string_view payload = event.payload();
    constexpr std::size_t none = std::string_view::npos;
    if (payload.find('\n') == none && payload.find('\r') == none) {
        return Event::make(payload, fields_of(event), event.type());
    }
    std::string line(payload);
    for (const char end : {'\n', '\r'}) {
        for (std::size_t at = line.find(end); at != none; at = line.find(end, at + 1)) {
            line[at] = ' ';
        }
    }
    return Event::make(line, fields_of(event), event.type());
}

void History::add(Copies copies, std::uint64_t first_seq, EventSource source,
                  std::optional<WallTime> received) noexcept {
    const std::lock_guard lock(mutex_);
    counts_.range.next = first_seq + copies.count;
    try {
        if (options_.capacity > 0)
            push(copies, first_seq, source, received.value_or(clock_.wall()));
    } catch (...) {
        while (!records_.empty()) evict(counts_.evicted_by_bytes);
    }
    make_room();
    tell_watches();
}

void History::push(Copies& copies, std::uint64_t first_seq, EventSource source, WallTime received) {
    counts_.truncated += copies.truncated;
    for (EventPtr& copy : copies.events) {
        const std::size_t bytes = copy->payload().size();
        if (received >= stats_.since) stats_.tally.add(source, copy->action());
        records_.push_back({first_seq++, received, source, std::move(copy)});
        counts_.bytes += bytes;
    }
}

void History::restart(std::uint64_t next) noexcept {
    const std::lock_guard lock(mutex_);
    while (!records_.empty()) evict(counts_.evicted_by_restart);
    counts_.range.lowest = next;
    counts_.range.next = next;
    // Who waits for a seq that will not come for long is to look again.
    tell_watches();
}

void History::evict(std::uint64_t& counted) {
    counts_.range.lowest = records_.front().seq + 1;
    counts_.bytes -= records_.front().event->payload().size();
    records_.pop_front();
    ++counted;
}

void History::make_room() {
    while (records_.size() > options_.capacity) evict(counts_.evicted_by_count);
    while (counts_.bytes > options_.bytes_max) evict(counts_.evicted_by_bytes);
    if (records_.empty()) counts_.range.lowest = counts_.range.next;
}

HistoryOptions History::options() const {
    const std::lock_guard lock(mutex_);
    return options_;
}

void History::resize(HistoryOptions options) {
    const std::lock_guard lock(mutex_);
    options_ = options;
    while (records_.size() > options_.capacity || counts_.bytes > options_.bytes_max) {
        evict(counts_.evicted_by_resize);
    }
    if (records_.empty()) counts_.range.lowest = counts_.range.next;
    // Who waits looks again, also for whether there is a history at all.
    tell_watches();
}

HistoryRange History::range() const {
    const std::lock_guard lock(mutex_);
    return counts_.range;
}

HistoryCounts History::counts() const {
    const std::lock_guard lock(mutex_);
    HistoryCounts counts = counts_;
    counts.events = records_.size();
    return counts;
}

HistoryStats History::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

/// Of the first record with a seq of `seq` or above. Seqs may have gaps: numbers given to events
/// that then could not be stored.
std::size_t History::index_of(std::uint64_t seq) const {
    const auto found = std::lower_bound(
        records_.begin(), records_.end(), seq,
        [](const HistoryRecord& record, std::uint64_t wanted) { return record.seq < wanted; });
    return static_cast<std::size_t>(found - records_.begin());
}

HistorySlice History::slice(std::size_t index, std::size_t records_max,
                            std::size_t bytes_max) const {
    HistorySlice slice;
    slice.range = counts_.range;
    slice.evicted = counts_.evicted();
    const std::size_t count = std::min(records_max, records_.size() - index);
    slice.records.reserve(count);
    std::size_t bytes = 0;
    for (std::size_t i = index; i < index + count; ++i) {
        bytes += records_[i].event->payload().size();
        if (bytes > bytes_max && !slice.records.empty()) break;
        slice.records.push_back(records_[i]);
    }
    return slice;
}

HistorySlice History::read(std::uint64_t first, std::size_t records_max,
                           std::size_t bytes_max) const {
    const std::lock_guard lock(mutex_);
    return slice(index_of(first), records_max, bytes_max);
}

HistorySlice History::tail(std::uint64_t count, std::size_t bytes_max) const {
    const std::lock_guard lock(mutex_);
    const std::size_t first = count < records_.size() ? records_.size() - count : 0;
    std::size_t index = records_.size();
    std::size_t bytes = 0;
    bool is_cut = false;
    while (index > first && !is_cut) {
        bytes += records_[index - 1].event->payload().size();
        is_cut = bytes > bytes_max && index < records_.size();
        if (!is_cut) --index;
    }
    HistorySlice newest = slice(index, records_.size(), bytes_max);
    newest.is_cut = is_cut;
    return newest;
}

void History::tell_watches() noexcept {
    for (const std::shared_ptr<Watch::State>& watch : watches_) {
        if (!watch->is_armed) continue;
        try {
            Watch::State::ring(watch);
            watch->is_armed = false;
        } catch (...) {
            // There is no memory: the next event tries again.
        }
    }
}

History::Watch::Watch(History& history, Executor loop, std::function<void()> on_more)
    : history_(history), state_(std::make_shared<State>()) {
    state_->loop = std::move(loop);
    state_->on_more = std::move(on_more);
    const std::lock_guard lock(history_.mutex_);
    history_.watches_.push_back(state_);
}

History::Watch::~Watch() {
    state_->on_more = nullptr;
    const std::lock_guard lock(history_.mutex_);
    history_.watches_.remove(state_);
}

void History::Watch::arm(std::uint64_t next) {
    const std::lock_guard lock(history_.mutex_);
    if (history_.counts_.range.next > next) return State::ring(state_);
    state_->is_armed = true;
}

}  // namespace fanfare
