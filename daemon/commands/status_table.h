#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "fanfare/clock.h"

namespace fanfare::command {

/// What has happened per second between two looks at the endpoints.
class Rates {
  public:
    struct Rate {
        double events = 0;     ///< that came into the queue
        double delivered = 0;  ///< and were taken by the receiver
        double failures = 0;   ///< attempts, errors included
    };

    /// Takes a look: `list` is the answer of /v1/endpoints as of `now`. Throws what the JSON
    /// library throws if it is none.
    void look(const nlohmann::json& list, std::chrono::steady_clock::time_point now);

    /// Nothing if the endpoint was not there at the look before, or has been counted anew since.
    std::optional<Rate> of(const std::string& endpoint) const;
    /// Of all together.
    std::optional<Rate> sum() const;

  private:
    std::chrono::steady_clock::time_point last_;
    std::map<std::string, Rate> counts_;
    std::map<std::string, Rate> rates_;
};

/// The answer of /v1/endpoints, which came `now`, as a table, below what is to be known of all of
/// it. `rates`: null for the daemon's own.
/// Throws what the JSON library throws if it is no such answer.
std::string status_table(const nlohmann::json& list, const Rates* rates, WallTime now);

/// `3 endpoints, 12 pending, 5.0/s in, 5.0/s delivered, 0.0/s failed`.
std::string status_summary(const nlohmann::json& list, const Rates& rates);

}  // namespace fanfare::command
