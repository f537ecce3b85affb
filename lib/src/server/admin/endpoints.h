#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fanfare/broadcaster.h"
#include "server/admin/endpoint_info.h"

namespace fanfare {

/// The body of `/v1/endpoints`: every endpoint of the configuration, in its order.
std::string endpoint_list(std::span<const EndpointInfo> endpoints, const Snapshot& snapshot);

/// The body of `/v1/endpoints/{name}`; nothing if there is none of that name.
std::optional<std::string> endpoint_details(std::span<const EndpointInfo> endpoints,
                                            const Snapshot& snapshot, std::string_view name);

}  // namespace fanfare
