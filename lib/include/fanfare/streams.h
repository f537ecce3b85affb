#pragma once

#include <cstddef>
#include <string>

#include "fanfare/clock.h"

namespace fanfare {

/// Live streams of events (SPEC 16).
struct StreamsOptions {
    std::size_t total_max = 100;      ///< 0: there are none
    std::size_t per_client_max = 15;  ///< by the peer's address; unix sockets share one
    Duration heartbeat = std::chrono::seconds(15);  ///< 0: none
    Duration write_timeout = std::chrono::seconds(5);
    std::size_t lag_max = 2000;  ///< events
    std::string cors_origin;     ///< of pages that may read a stream; empty: none
    Duration age_max{};          ///< 0: unlimited
    unsigned sse_retry_ms = 3000;
    bool operator==(const StreamsOptions&) const = default;
};

}  // namespace fanfare
