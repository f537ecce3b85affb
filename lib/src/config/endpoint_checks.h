#pragma once

#include "config/value.h"
#include "fanfare/config.h"

namespace fanfare {

/// What is wrong with an endpoint's keys taken together. `value` is the endpoint with the values it
/// has from `defaults`; what was wrong with a single key is not in `endpoint`.
void check_endpoint(const Value& value, const EndpointConfig& endpoint);

/// Refuses what only a breaker heeds where the endpoint itself asks for another strategy. `own`
/// has nothing from `defaults`, which are for other endpoints as well.
void check_breaker_keys(const Value& own, const EndpointConfig& endpoint);

}  // namespace fanfare
