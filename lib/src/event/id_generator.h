#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "fanfare/clock.h"

namespace fanfare {

/// Makes event ids: `evt_` and a ULID in 26 characters, so that the ids of a process sort in the
/// order in which they were made, and those of several processes by time. Matches
/// [A-Za-z0-9_-]{1,64}. Any thread.
class IdGenerator {
  public:
    /// 64 random bits at each call.
    using Random = std::function<std::uint64_t()>;

    /// `clock` must outlive the generator; `random` is called by one thread at a time.
    explicit IdGenerator(const Clock& clock, Random random = system_random);

    std::string next();

    /// From the operating system.
    static std::uint64_t system_random();

  private:
    const Clock& clock_;
    const Random random_;
    // One order for the whole process needs one place that knows the last id.
    std::mutex mutex_;
    std::uint64_t last_ms_ = 0;
    std::uint64_t high_ = 0;  ///< the upper 16 of the 80 bits behind the time
    std::uint64_t low_ = 0;
};

}  // namespace fanfare
