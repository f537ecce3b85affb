#pragma once

#include <string>
#include <string_view>

#include "fanfare/event.h"
#include "fanfare/http_sink.h"
#include "fanfare/queue.h"
#include "fanfare/retry_policy.h"
#include "sim/random.h"

namespace fanfare::sim {

/// In what order an endpoint promises to deliver.
enum class Order : std::uint8_t { strict, keyed, free };

/// The settings of one endpoint, as a configuration would give them.
struct Plan {
    std::string name;
    unsigned receiver = 0;  ///< its number
    bool is_http = false;   ///< else a sink that is a few lines of the simulation
    BodyFormat format = BodyFormat::envelope;
    Duration timeout = std::chrono::seconds(1);
    unsigned max_in_flight = 1;
    bool is_ordered_by_key = false;
    LeaseLimits batch;
    RetryPolicy retry;
    std::string unwanted;               ///< an action; empty: wants everything
    bool has_letters = true;            ///< a place for dead letters
    bool has_queue_of_own = false;      ///< one that is handed to the endpoint: its order stays
    bool is_durable = false;            ///< its queue is on a disk
    std::size_t window_events = 16384;  ///< of which so much is in memory
    bool may_throw = false;             ///< its sink, now and then
    std::uint32_t random_seed = 1;      ///< of the jitter

    Order order() const noexcept;
    bool wants(std::string_view action) const noexcept { return action != unwanted; }
    /// The key of an event among which it keeps its order.
    static constexpr const char* key_pointer = "/key";
};

/// How large a run is.
struct PlanLimits {
    unsigned receivers = 1;
    unsigned http_percent = 0;
    bool is_durable = false;
};

Plan make_plan(std::string name, const PlanLimits& limits, Random& random);
/// The same endpoint after a reload: some of it different, perhaps nothing.
Plan change_plan(const Plan& plan, const PlanLimits& limits, Random& random);
std::string describe(const Plan& plan);

}  // namespace fanfare::sim
