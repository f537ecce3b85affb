#pragma once

#include <string>
#include <vector>

#include "fanfare/endpoint.h"
#include "fanfare/history.h"
#include "server/events/stream_hub.h"

namespace fanfare {

/// What `GET /v1/events` answers with.
struct EventList {
    enum class Status : std::uint8_t { ok, up_to_date, evicted, future };

    Status status = Status::ok;
    HistoryRange range;
    std::uint64_t next_start = 1;  ///< where the next request would go on
    std::uint64_t missed = 0;      ///< if status is evicted
    bool is_clamped = false;       ///< more was asked for than there may be in one answer
    std::uint64_t evicted = 0;     ///< ever
    std::vector<HistoryRecord> records;
};

std::string event_list_json(const std::string& instance, const EventList& list);

/// The body of `/v1/events/stats`.
std::string event_stats_json(const std::string& instance, const HistoryStats& stats);

/// One event and what has become of it.
std::string event_json(const HistoryRecord& record, const std::vector<EndpointFate>& fates);

/// The body of `/v1/streams`.
std::string stream_list_json(const StreamHub& hub);

}  // namespace fanfare
