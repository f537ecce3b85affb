#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>
#include <string>

#include "http/connector.h"

namespace fanfare {

/// TCP and unix sockets alike.
using StreamSocket = net::generic::stream_protocol::socket;

/// A connected socket as a stream without TLS. The socket's executor must be the shard's.
std::unique_ptr<ByteStream> make_plain_stream(StreamSocket socket);

/// The server's and the client's side of a TLS handshake on a connected socket. Cancellation ends
/// it; so does closing nothing else: give it a deadline from outside.
awaitable<Connected> accept_tls(StreamSocket socket, TlsContextPtr context);
awaitable<Connected> connect_tls(StreamSocket socket, TlsContextPtr context,
                                 std::string server_name);

}  // namespace fanfare
