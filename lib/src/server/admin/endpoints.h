#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fanfare/broadcaster.h"
#include "server/admin/endpoint_info.h"

namespace fanfare {

/// The body of `/v1/endpoints`: every endpoint of the configuration, in its order.
/// `is_queue_connected`: whether the queue that is shared can be reached; nothing if none is.
std::string endpoint_list(std::span<const EndpointInfo> endpoints, const Snapshot& snapshot,
                          std::optional<bool> is_queue_connected = std::nullopt);

/// The body of `/v1/endpoints/{name}`; nothing if there is none of that name.
std::optional<std::string> endpoint_details(std::span<const EndpointInfo> endpoints,
                                            const Snapshot& snapshot, std::string_view name);

}  // namespace fanfare
