#include "http/tls_session.h"

#include <atomic>
#include <cstring>

namespace fanfare {
namespace {

using Slot = std::atomic<SSL_SESSION*>;

void free_slot(void*, void* slot, CRYPTO_EX_DATA*, int, long, void*) {
    const std::unique_ptr<Slot> owned(static_cast<Slot*>(slot));
    if (owned) const TlsSessionPtr session(owned->load());
}

/// The place in every SSL_CTX where the slot hangs; OpenSSL hands such places out once.
int slot_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_slot);
    return index;
}

Slot* slot_of(SSL_CTX* context) {
    return static_cast<Slot*>(SSL_CTX_get_ex_data(context, slot_index()));
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
    put_session(SSL_get_SSL_CTX(ssl), TlsSessionPtr(session));
    return 1;  // the session is ours now
}

}  // namespace

void keep_sessions(SSL_CTX* context) {
    SSL_CTX_set_ex_data(context, slot_index(), std::make_unique<Slot>(nullptr).release());
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
}

TlsSessionPtr take_session(SSL_CTX* context, const char* server_name) {
    Slot* const slot = slot_of(context);
    if (slot == nullptr) return nullptr;
    TlsSessionPtr session(slot->exchange(nullptr));
    if (!session) return nullptr;
    // Resuming skips the verification of the name, so the name must be the very same.
    const char* const name = SSL_SESSION_get0_hostname(session.get());
    if (name == nullptr || std::strcmp(name, server_name) != 0) return nullptr;
    return session;
}

void put_session(SSL_CTX* context, TlsSessionPtr session) {
    Slot* const slot = slot_of(context);
    if (slot != nullptr) session.reset(slot->exchange(session.release()));
}

}  // namespace fanfare
