#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace fanfare {

struct TlsSessionDeleter {
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using TlsSessionPtr = std::unique_ptr<SSL_SESSION, TlsSessionDeleter>;

/// From now on `context`, a client's, keeps the last session that a server known by name has
/// offered, so that the next connection can resume it: that costs a fifth of a full handshake.
void keep_sessions(SSL_CTX* context);

/// Takes what the context of `ssl` keeps, as TLS 1.3 wants each session used once. Null if there
/// is none, or it belongs to another name. Any thread.
TlsSessionPtr take_session(const SSL* ssl, const std::string& server_name);

/// Puts a session back that may be used again (TLS 1.2). Any thread.
void keep_session(const SSL* ssl, TlsSessionPtr session);

}  // namespace fanfare
