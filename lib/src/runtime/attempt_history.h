#pragma once

#include <array>
#include <vector>

#include "fanfare/endpoint.h"

namespace fanfare {

/// The last attempts of an endpoint. Written once per attempt, so it keeps neither the event nor
/// a string. Shard thread.
class AttemptHistory {
  public:
    static constexpr std::size_t records_max = 100;

    void add(const Attempt& attempt, const Outcome& outcome, TimePoint started, TimePoint ended);

    /// Newest first. `clock` tells when they were.
    std::vector<AttemptRecord> newest(std::size_t limit, const Clock& clock) const;

    /// Those that this event was a part of, oldest first.
    std::vector<AttemptRecord> of(std::uint64_t seq, const Clock& clock) const;

  private:
    struct Entry {
        TimePoint started;
        Duration took;
        std::uint64_t seq;
        std::uint64_t last_seq;
        std::uint32_t events;
        unsigned number;
        int status;
        Reason error;
        std::uint8_t id_bytes;
        std::array<char, 64> id;
    };

    /// One moment, on both clocks.
    struct Now {
        TimePoint steady;
        WallTime wall;
    };
    static AttemptRecord record_of(const Entry& entry, Now now);

    std::vector<Entry> entries_;  // a ring once it is full
    std::size_t next_ = 0;
};

}  // namespace fanfare
