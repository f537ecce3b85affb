#pragma once

#include <cstddef>

#include "fanfare/config.h"
#include "fanfare/log.h"

namespace fanfare {

/// Allows as many descriptors as there may be, as the usual soft limit is far below that. Returns
/// how many there can be now.
std::size_t raise_descriptor_limit();

/// Lowers connections_max of both listeners, where that is needed, so that out of `all`
/// descriptors some stay for deliveries and for those who ask how it goes, whatever senders take.
/// Fewer senders than configured are worth a warning.
void share_descriptors(Config& config, std::size_t all, Log& log);

}  // namespace fanfare
