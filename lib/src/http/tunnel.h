#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

/// What a proxy is asked for a connection with.
struct Tunnel {
    std::string request;  ///< CONNECT, as it goes over the wire
};
using TunnelPtr = std::shared_ptr<const Tunnel>;

/// Asks the proxy at the other end of `socket` to let everything through from now on. An answer
/// that is not 2xx, no HTTP or followed by anything is an error, whose message says so. No time
/// limit: cancel it.
awaitable<error_code> open_tunnel(net::ip::tcp::socket& socket, TunnelPtr tunnel);

/// That a proxy did not pass a request on, but answered it itself with `status`.
error_code refused_by_proxy(int status);

/// An error of the connection to a proxy, with a message that says so. Cancellation stays as it is.
error_code of_proxy(error_code error);

}  // namespace fanfare
