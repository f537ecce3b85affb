#pragma once

#include "config/schema.h"
#include "config/value.h"

namespace fanfare {

/// `signing` and `auth` of an endpoint.
Key signing_key();
Key auth_key();

/// Refuses what does not go together with `signing` and `auth` in an endpoint that has been read
/// from `endpoint`, a mapping with `defaults` applied.
void check_credentials(const Value& endpoint, const EndpointConfig& config);

}  // namespace fanfare
