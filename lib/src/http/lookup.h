#pragma once

#include <string>

#include "http/resolver.h"

namespace fanfare {

/// Asks the system (getaddrinfo) for the addresses of `host`; blocks. Any thread.
Resolved lookup_host(const std::string& host);

}  // namespace fanfare
