#pragma once

#include <span>
#include <string>

#include "fanfare/broadcaster.h"
#include "server/admin/endpoint_info.h"

namespace fanfare {

/// The body of `/debug/vars`: what a registry shows there of its notification endpoints, in its
/// shape, so that what reads a registry's reads ours. Disabled endpoints are absent, as there.
std::string debug_vars(std::span<const std::string> command_line,
                       std::span<const EndpointInfo> endpoints, const Snapshot& snapshot);

}  // namespace fanfare
