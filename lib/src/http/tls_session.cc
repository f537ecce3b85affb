#include "http/tls_session.h"

#include <atomic>
#include <string>

namespace fanfare {
namespace {

/// A session and the name that was verified when it began: resuming it verifies nothing.
struct Kept {
    std::string server_name;
    TlsSessionPtr session;
};
using Slot = std::atomic<Kept*>;

void put(Slot& slot, std::unique_ptr<Kept> kept) { kept.reset(slot.exchange(kept.release())); }

void free_slot(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
    const std::unique_ptr<Slot> slot(static_cast<Slot*>(data));
    if (slot) put(*slot, nullptr);
}

/// The place in every SSL_CTX where the slot hangs; OpenSSL hands such places out once.
int slot_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_slot);
    return index;
}

Slot* slot_of(const SSL* ssl) {
    return static_cast<Slot*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot_index()));
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
    keep_session(ssl, TlsSessionPtr(session));
    return 1;  // the session is ours now
}

}  // namespace

void keep_sessions(SSL_CTX* context) {
    SSL_CTX_set_ex_data(context, slot_index(), std::make_unique<Slot>(nullptr).release());
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
}

TlsSessionPtr take_session(const SSL* ssl, const std::string& server_name) {
    Slot* const slot = slot_of(ssl);
    if (slot == nullptr) return nullptr;
    const std::unique_ptr<Kept> kept(slot->exchange(nullptr));
    if (!kept || kept->server_name != server_name) return nullptr;
    return std::move(kept->session);
}

void keep_session(const SSL* ssl, TlsSessionPtr session) {
    Slot* const slot = slot_of(ssl);
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (slot == nullptr || name == nullptr) return;
    auto kept = std::make_unique<Kept>();
    kept->server_name = name;
    kept->session = std::move(session);
    put(*slot, std::move(kept));
}

}  // namespace fanfare
