#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "fanfare/metrics.h"
#include "fanfare/sink.h"

namespace fanfare {

class Deadlines;
class Log;

/// What a sink may use of its surroundings. All of it outlives the sink and belongs to the shard
/// that the sink runs on.
struct SinkContext {
    Executor executor;
    Clock& clock;
    Deadlines& deadlines;  ///< coarse timeouts that cost nothing to set and clear
    EndpointMetrics& metrics;
    Log* log = nullptr;              ///< null: nothing is logged
    std::string_view endpoint = {};  ///< its name, for log lines
};

/// Makes the sink of one worker; called once per worker, on the shard's thread.
using SinkMaker = std::function<std::unique_ptr<Sink>(const SinkContext&)>;

}  // namespace fanfare
