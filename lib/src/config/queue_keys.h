#pragma once

#include "config/schema.h"
#include "config/value.h"

namespace fanfare {

/// `queue` of an endpoint: what may wait for it.
Key endpoint_queue_key();

/// What holds for an endpoint that does not say otherwise. Depends on the top-level keys, which
/// must have been read.
QueueBounds default_queue_bounds(const Config& config);

/// Refuses what cannot work in this configuration. `value` is the endpoint with its defaults.
void check_queue(const Value& value, const EndpointConfig& endpoint, const Config& config);

}  // namespace fanfare
