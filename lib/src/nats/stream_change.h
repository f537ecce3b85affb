#pragma once

#include <string>

#include "nats/jetstream_ask.h"

namespace fanfare {

/// How a stream that is there differs from what is wanted of it.
struct JsStreamChange {
    std::string foreign;         ///< why it cannot be ours; empty: it can
    std::string settings;        ///< `max_age: none -> 1h, …`; empty: it is as wanted
    JsJson config;               ///< what to ask for then; what nobody here sets stays
    unsigned replicas_kept = 0;  ///< more than are wanted: so many; else zero
};

/// `there` is what the servers tell, `wanted` what a process is configured for. Fewer replicas are
/// never asked for: another process may count on them, and what is lost with a server is lost.
JsStreamChange stream_change(const JsJson& there, JsJson wanted);

}  // namespace fanfare
