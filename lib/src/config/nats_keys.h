#pragma once

#include "config/schema.h"
#include "config/value.h"

namespace fanfare {

/// The keys of `queue` that are for `storage: nats` only.
std::vector<Key> nats_keys();

/// Refuses what cannot work with events in NATS, if that is where they are to be. `root` is the
/// whole file.
void check_nats(const Value& root, const Config& config);

/// The same for an endpoint, where events are in NATS. `value` is the endpoint with its defaults;
/// `config` holds those before it. A bound of its queue that is written down at the default of
/// other storages is taken for none.
void check_for_nats(const Value& value, EndpointConfig& endpoint, const Config& config);

}  // namespace fanfare
