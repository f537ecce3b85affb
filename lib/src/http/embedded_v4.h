#pragma once

#include <boost/asio/ip/address.hpp>
#include <vector>

#include "fanfare/clock.h"

namespace fanfare {

/// IPv4 addresses at which packets to an IPv6 address may end up, because some router or tunnel on
/// the way takes them out of it.
struct EmbeddedV4 {
    std::vector<net::ip::address_v4> addresses;
    /// The IPv6 address is another way to write the IPv4 one, and means nothing by itself.
    bool is_all = false;
};

/// Looks for IPv4-mapped, IPv4-compatible and IPv4-translated addresses, NAT64 with the well-known
/// prefix and the local one, 6to4 and Teredo.
EmbeddedV4 find_embedded_v4(const net::ip::address_v6& address);

}  // namespace fanfare
