#pragma once

#include <vector>

#include "config/schema.h"
#include "http/egress.h"

namespace fanfare {

/// `egress`: where deliveries may go (SPEC 9).
Key make_egress_key();

/// Of an endpoint: `idle_timeout`, `proxy` and `no_proxy`.
std::vector<Key> make_connection_keys();

/// Carries `egress` over to an endpoint that has been read from `value`. Refuses a URL for its
/// scheme, host or port; warns of one whose address is bound to be blocked.
void apply_egress(const Value& value, const EgressPolicy& policy, Target& target);

}  // namespace fanfare
