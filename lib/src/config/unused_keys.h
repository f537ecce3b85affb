#pragma once

#include "config/value.h"
#include "fanfare/config.h"

namespace fanfare {

// Remarks on keys that are given and that nothing heeds, as something else is missing. At its
// default a key says nothing anyway.

/// Of the file's own keys; `root` is the whole file.
void warn_of_unused_top_keys(const Value& root, const Config& config);

/// Of an endpoint's keys. `own` has nothing from `defaults`, which are for other endpoints as well.
void warn_of_unused_keys(const Value& own, const EndpointConfig& endpoint);

/// Of rules that ask for events of Fanfare's own, where none are made.
void warn_of_rules_for_meta(const Value& endpoint, const EndpointConfig& config,
                            const MetaOptions& meta);

}  // namespace fanfare
