#pragma once

#include <memory>
#include <string>

#include "fanfare/error.h"
#include "fanfare/tls.h"

namespace boost::asio::ssl {
class context;
}

namespace fanfare {

/// A ready TLS context; the files have been read. Any thread.
using TlsContextPtr = std::shared_ptr<boost::asio::ssl::context>;

/// For connections to endpoints: TLS 1.2 or newer, ALPN http/1.1, verification as asked for.
Result<TlsContextPtr> make_client_tls(const TlsOptions& options);

/// For a listener: TLS 1.2 or newer, ALPN http/1.1 only.
Result<TlsContextPtr> make_server_tls(const TlsServerOptions& options);

}  // namespace fanfare
