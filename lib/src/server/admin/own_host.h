#pragma once

#include <span>
#include <string>

#include "http/http_parser.h"

namespace fanfare {

/// Whether the request is addressed to this machine by an IP address, as `localhost`, or by a host
/// of `listen` (`host:port`).
///
/// A page of another site can make its own name resolve to loopback; the browser then takes the
/// daemon for that site, and lets the page read what it answers. The name stays in the Host field.
bool is_for_own_host(const RequestHead& head, std::span<const std::string> listen);

}  // namespace fanfare
