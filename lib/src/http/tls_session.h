#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace fanfare {

struct TlsSessionDeleter {
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using TlsSessionPtr = std::unique_ptr<SSL_SESSION, TlsSessionDeleter>;

/// From now on `context`, a client's, keeps the last session a server has offered, so that the
/// next connection can resume it: a resumed handshake costs a fifth of a full one.
void keep_sessions(SSL_CTX* context);

/// Takes the session out, as TLS 1.3 wants each used once. Null if there is none, or it belongs to
/// another name. Any thread.
TlsSessionPtr take_session(SSL_CTX* context, const char* server_name);

/// Puts a session back that may be used again (TLS 1.2).
void put_session(SSL_CTX* context, TlsSessionPtr session);

}  // namespace fanfare
