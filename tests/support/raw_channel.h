#pragma once

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::test {

/// TLS of a receiver in a test, by OpenSSL alone: what is tested must not test itself.
class RawTls {
  public:
    struct Options {
        std::string cert_file;
        std::string key_file;
        std::string client_ca_file;  ///< not empty: a client certificate is required
        int version_max = 0;         ///< 0: any, else TLS1_2_VERSION and the like
    };

    explicit RawTls(const Options& options) : context_(SSL_CTX_new(TLS_server_method())) {
        SSL_CTX_use_certificate_chain_file(context_.get(), options.cert_file.c_str());
        SSL_CTX_use_PrivateKey_file(context_.get(), options.key_file.c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
        if (options.version_max != 0 && options.version_max < TLS1_2_VERSION) {
            SSL_CTX_set_min_proto_version(context_.get(), options.version_max);
            SSL_CTX_set_security_level(context_.get(), 0);
        }
        SSL_CTX_set_alpn_select_cb(context_.get(), select_http, nullptr);
        constexpr unsigned char id[] = "imposter";
        SSL_CTX_set_session_id_context(context_.get(), id, sizeof id - 1);
        if (options.client_ca_file.empty()) return;
        SSL_CTX_load_verify_locations(context_.get(), options.client_ca_file.c_str(), nullptr);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           nullptr);
    }

    SSL_CTX* context() const { return context_.get(); }

  private:
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };

    static int select_http(SSL*, const unsigned char** out, unsigned char* out_size,
                           const unsigned char* offered, unsigned offered_size, void*) {
        static constexpr unsigned char ours[] = "\x08http/1.1";
        unsigned char* chosen = nullptr;
        const int match =
            SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, offered, offered_size);
        *out = chosen;
        return match == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }

    std::unique_ptr<SSL_CTX, Free> context_;
};

/// A blocking connection, plain or TLS. One thread uses it; shut_down() comes from another.
class RawChannel {
  public:
    RawChannel(int socket, SSL_CTX* tls) : socket_(socket) {
        if (tls == nullptr) return;
        ssl_.reset(SSL_new(tls));
        SSL_set_fd(ssl_.get(), socket_);
    }
    ~RawChannel() { end(); }
    RawChannel(const RawChannel&) = delete;
    RawChannel& operator=(const RawChannel&) = delete;

    /// The TLS handshake, if there is to be one.
    bool accept() { return !ssl_ || SSL_accept(ssl_.get()) == 1; }

    /// How many bytes came; 0 or less: none any more.
    int read(char* data, int size) {
        if (ssl_) return SSL_read(ssl_.get(), data, size);
        return static_cast<int>(::recv(socket_, data, static_cast<std::size_t>(size), 0));
    }

    bool write(std::string_view bytes) {
        while (!bytes.empty()) {
            const int sent =
                ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                     : static_cast<int>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// From now on closing sends a reset.
    void make_reset() {
        const linger hard{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ssl_.reset();
    }

    /// Closes it.
    void end() {
        const std::lock_guard lock(mutex_);
        ssl_.reset();
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }

    /// Ends what blocks on it. Any thread.
    void shut_down() {
        const std::lock_guard lock(mutex_);
        if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    }

    /// Waits until the peer has closed, or shut_down() was called.
    void wait_for_end() {
        char space[4096];
        while (::recv(socket_, space, sizeof space, 0) > 0) {
        }
    }

    /// Waits for shut_down() and reads nothing meanwhile.
    void hold() const {
        pollfd waiting{socket_, POLLRDHUP, 0};
        ::poll(&waiting, 1, -1);
    }

    /// Of the TLS handshake.
    bool is_resumed() const { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }
    std::string server_name() const {
        const char* name =
            ssl_ ? SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name) : nullptr;
        return name == nullptr ? "" : name;
    }
    std::string protocol() const {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        if (ssl_) SSL_get0_alpn_selected(ssl_.get(), &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }

  private:
    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    std::mutex mutex_;  // of socket_ while it is closed
    int socket_;
    std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace fanfare::test
