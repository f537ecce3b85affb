#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/event.h"
#include "fanfare/event_tally.h"

namespace fanfare {

/// How much of the past is kept (SPEC 16).
struct HistoryOptions {
    std::size_t capacity = 10'000;  ///< records; 0: none are kept
    std::size_t bytes_max = std::size_t{64} << 20;
    /// An event that is larger is kept as a stub: its id, its action and its size.
    std::size_t event_bytes_max = std::size_t{64} << 10;
    std::size_t response_max = 10'000;  ///< records of one answer
    bool operator==(const HistoryOptions&) const = default;
};

/// One event that was accepted. `event` is a copy for this purpose: its payload is in one line, it
/// takes no part in any budget, and it has no number of its own.
struct HistoryRecord {
    std::uint64_t seq = 0;
    WallTime received{};
    EventSource source = EventSource::http;
    EventPtr event;
};

/// Which seqs a history holds. `lowest` is one above the last that was evicted, `next` one above
/// the last that came; they are equal if it is empty.
struct HistoryRange {
    std::uint64_t lowest = 1;
    std::uint64_t next = 1;
};

/// Records in the order of their seqs, as of one moment.
struct HistorySlice {
    HistoryRange range;
    std::vector<HistoryRecord> records;
    std::uint64_t evicted = 0;  ///< ever
    bool is_cut = false;        ///< of tail(): fewer than were asked for, for their bytes
};

/// What a history holds, and what has gone from it.
struct HistoryCounts {
    HistoryRange range;
    std::size_t events = 0;
    std::size_t bytes = 0;  ///< of their payloads
    std::uint64_t evicted_by_count = 0;
    std::uint64_t evicted_by_bytes = 0;
    std::uint64_t evicted_by_resize = 0;
    std::uint64_t evicted_by_restart = 0;
    std::uint64_t truncated = 0;  ///< kept as stubs

    std::uint64_t evicted() const noexcept {
        return evicted_by_count + evicted_by_bytes + evicted_by_resize + evicted_by_restart;
    }
};

/// What has come into a history since it began, whether or not it still holds it.
struct HistoryStats {
    WallTime since{};
    EventTally tally;
};

/// The newest events, in a ring bounded by number and by bytes; the oldest go first. Adding never
/// fails for want of room and never waits for a reader. Any thread.
class History {
  public:
    /// The first event to come has a seq above `last_seq`.
    History(Clock& clock, HistoryOptions options, std::uint64_t last_seq = 0);
    ~History();
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    /// Events as they are kept.
    struct Copies {
        std::vector<EventPtr> events;  ///< empty if nothing is kept
        std::size_t count = 0;         ///< of those that were to be copied
        std::size_t truncated = 0;
    };

    /// Apart from add(), so that it can be done before the events have seqs and without a lock.
    Copies copy(std::span<const std::shared_ptr<Event>> events) const;

    /// All at once, with consecutive seqs above all that came before. Nobody sees a part of them.
    /// Without memory for them they count as evicted. `received`: without it, now.
    void add(Copies copies, std::uint64_t first_seq, EventSource source,
             std::optional<WallTime> received = std::nullopt) noexcept;

    /// What comes next has a seq of `next` or above, and what is there is not to be told together
    /// with it: it goes, and readers are told that records are missing, or that seqs begin anew.
    void restart(std::uint64_t next) noexcept;

    HistoryOptions options() const;
    /// The newest records stay, as many as then fit.
    void resize(HistoryOptions options);

    HistoryRange range() const;
    HistoryCounts counts() const;
    HistoryStats stats() const;

    /// Records with seqs from `first` on: `records_max` at most, and no more once their payloads
    /// are beyond `bytes_max`, but one if there is one.
    HistorySlice read(std::uint64_t first, std::size_t records_max, std::size_t bytes_max) const;

    /// Of the last `count` records the newest ones whose payloads are not beyond `bytes_max`, but
    /// one if there is one.
    HistorySlice tail(std::uint64_t count, std::size_t bytes_max) const;

    /// Hears of new records. Belongs to one loop, where it is armed; made and destroyed there, or
    /// while that does not turn.
    class Watch {
      public:
        /// `on_more` is run on `loop`, which is the caller's, and must outlive this as `history`
        /// must.
        Watch(History& history, Executor loop, std::function<void()> on_more);
        ~Watch();
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        /// `on_more` is run once, when there is anything with a seq of `next` or above.
        void arm(std::uint64_t next);

      private:
        friend class History;
        struct State;
        History& history_;
        const std::shared_ptr<State> state_;
    };

  private:
    EventPtr copy_of(const Event& event) const;
    // With the mutex held.
    void push(Copies& copies, std::uint64_t first_seq, EventSource source, WallTime received);
    void evict(std::uint64_t& counted);
    void make_room();
    std::size_t index_of(std::uint64_t seq) const;
    HistorySlice slice(std::size_t index, std::size_t records_max, std::size_t bytes_max) const;
    void tell_watches() noexcept;

    Clock& clock_;
    mutable std::mutex mutex_;
    HistoryOptions options_;
    std::deque<HistoryRecord> records_;
    HistoryCounts counts_;
    HistoryStats stats_;
    std::list<std::shared_ptr<Watch::State>> watches_;
};

}  // namespace fanfare
