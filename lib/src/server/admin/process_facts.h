#pragma once

#include <cstdint>

namespace fanfare {

/// What the kernel says about this process; a fact that cannot be had is 0.
struct ProcessFacts {
    double cpu_seconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t open_fds = 0;
    std::uint64_t fds_max = 0;
    double start_time_seconds = 0;  ///< since the epoch
    std::uint64_t threads = 0;
};

/// Reads /proc; any thread.
ProcessFacts read_process_facts();

}  // namespace fanfare
