#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>

#include "fanfare/outcome.h"
#include "http/byte_stream.h"
#include "http/tls.h"
#include "http/tunnel.h"

namespace fanfare {

/// Where to connect to, and how.
struct ConnectTarget {
    net::ip::address address;
    std::uint16_t port = 0;
    TunnelPtr tunnel;         ///< null: none; else `address` is a proxy's
    TlsContextPtr tls;        ///< null: plain
    std::string server_name;  ///< for SNI and verification: a name or an IP literal
};

/// A stream, or why there is none: Reason::connect, tls, blocked or timeout with the cause.
struct Connected {
    std::unique_ptr<ByteStream> stream;
    Reason reason = Reason::none;
    error_code error;
};

/// Opens connections; a seam, so that a simulation can stand in for the network.
class Connector {
  public:
    virtual ~Connector() = default;

    /// Why it would not even try to connect to `address`; no error: it would.
    virtual error_code refusal(const net::ip::address& /*address*/) const { return {}; }

    /// Any executor: the stream belongs to the one the coroutine runs on. Cancellation ends it.
    virtual awaitable<Connected> connect(ConnectTarget target) = 0;
};

/// TCP with TCP_NODELAY, and TLS where asked for.
class TcpConnector final : public Connector {
  public:
    awaitable<Connected> connect(ConnectTarget target) override;
};

}  // namespace fanfare
