#pragma once

#include <string>

#include "fanfare/config.h"
#include "fanfare/endpoint.h"
#include "fanfare/error.h"
#include "fanfare/meta.h"
#include "http/connector.h"
#include "http/resolver.h"
#include "server/admin/endpoint_info.h"

namespace fanfare {

/// What endpoints of the configuration are made with. All of it outlives them.
struct EndpointParts {
    const std::string& instance;
    Resolver& resolver;
    Connector& connector;
    Log& log;
    DeadLetterBox* dead_letters;  ///< null: they are not kept
    EndpointNews* news;
    HoldNews* holds;      ///< null: no other process delivers to them
    Duration first_hold;  ///< EndpointOptions::first_hold
};

/// Everything that an endpoint is to be, its secrets and certificates read. Any thread; blocks on
/// files. An Error names the endpoint.
Result<EndpointOptions> make_options(const EndpointConfig& endpoint, const EndpointParts& parts);

/// What the admin listener shows of it.
EndpointInfo describe(const EndpointConfig& endpoint);

/// Warns of what is configured to be unsafe.
void warn_of(const EndpointConfig& endpoint, Log& log);

}  // namespace fanfare
