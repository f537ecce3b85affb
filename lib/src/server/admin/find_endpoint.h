#pragma once

#include <algorithm>
#include <string_view>

#include "fanfare/broadcaster.h"

namespace fanfare {

/// The endpoint of that name, or null.
inline const EndpointSnapshot* find_endpoint(const Snapshot& snapshot, std::string_view name) {
    const auto found =
        std::find_if(snapshot.endpoints.begin(), snapshot.endpoints.end(),
                     [name](const EndpointSnapshot& endpoint) { return endpoint.name == name; });
    return found == snapshot.endpoints.end() ? nullptr : &*found;
}

}  // namespace fanfare
