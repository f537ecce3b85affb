#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "fanfare/clock.h"

namespace fanfare {

/// Where accepted events are kept until every endpoint is done with them (SPEC 11).
enum class QueueStorage : std::uint8_t { memory, disk };

/// What becomes of a store's file that is damaged as a whole.
enum class Recovery : std::uint8_t {
    salvage,  ///< it is moved aside, and a new one begun
    strict,   ///< it is refused
};

/// `queue`, but for its bound in memory. All but the first is for `disk`.
struct StorageOptions {
    QueueStorage storage = QueueStorage::memory;
    std::string dir = "/var/lib/fanfare";
    std::size_t disk_bytes_max = std::size_t{10} << 30;
    Duration ack_timeout = std::chrono::seconds(5);
    Recovery recovery = Recovery::salvage;
    Duration removed_grace = std::chrono::hours(24);

    bool is_durable() const noexcept { return storage == QueueStorage::disk; }
    bool operator==(const StorageOptions&) const = default;
};

}  // namespace fanfare
