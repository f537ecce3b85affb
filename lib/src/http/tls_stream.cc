// The one owner of ssl::stream, which is slow to compile.
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "http/net_stream.h"
#include "http/tls_session.h"

namespace fanfare {
namespace {

namespace ssl = boost::asio::ssl;

/// The payload of a full TLS record.
constexpr std::size_t record_bytes = 16 * 1024;

// Boost's categories have no virtual destructor, as nobody destroys one by its base.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

/// OpenSSL's reasons for refusing a certificate.
class VerifyCategory final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "certificate"; }
    std::string message(int value) const override {
        return std::string("certificate refused: ") + X509_verify_cert_error_string(value);
    }
};

#pragma GCC diagnostic pop

const VerifyCategory& verify_category() {
    static const VerifyCategory category;
    return category;
}

class TlsStream final : public ByteStream {
  public:
    TlsStream(StreamSocket socket, TlsContextPtr context)
        : context_(std::move(context)), stream_(std::move(socket), *context_) {}

    ~TlsStream() override {
        // Else OpenSSL takes the end of the connection for an attack and spoils its session.
        SSL_set_shutdown(native(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }

    awaitable<error_code> handshake(ssl::stream_base::handshake_type side) {
        error_code error;
        co_await stream_.async_handshake(side, net::redirect_error(net::use_awaitable, error));
        const long verified = SSL_get_verify_result(native());
        const bool is_verifying = (SSL_get_verify_mode(native()) & SSL_VERIFY_PEER) != 0;
        if (error && error != net::error::operation_aborted && is_verifying &&
            verified != X509_V_OK) {
            error.assign(static_cast<int>(verified), verify_category());
        }
        co_return error;
    }

    awaitable<IoResult> read_some(net::mutable_buffer buffer) override {
        IoResult result;
        result.bytes = co_await stream_.async_read_some(
            buffer, net::redirect_error(net::use_awaitable, result.error));
        if (result.error == ssl::error::stream_truncated) result.error = net::error::eof;
        co_return result;
    }

    awaitable<IoResult> write(std::span<const net::const_buffer> buffers) override {
        // Asio makes a record and a send of each buffer, so they are put together here.
        IoResult result;
        std::size_t index = 0;
        std::size_t offset = 0;
        while (index < buffers.size() && !result.error) {
            record_.clear();
            while (index < buffers.size() && record_.size() < record_bytes) {
                const net::const_buffer rest = buffers[index] + offset;
                const std::size_t taken = std::min(rest.size(), record_bytes - record_.size());
                record_.append(static_cast<const char*>(rest.data()), taken);
                offset += taken;
                if (taken < rest.size()) break;
                ++index;
                offset = 0;
            }
            result.bytes +=
                co_await net::async_write(stream_, net::buffer(record_),
                                          net::redirect_error(net::use_awaitable, result.error));
        }
        co_return result;
    }

    void stop_writing() noexcept override {
        error_code ignored;
        stream_.next_layer().shutdown(StreamSocket::shutdown_send, ignored);
    }

    awaitable<void> shutdown() override {
        // As if the peer's close_notify were there already: OpenSSL then sends ours without
        // waiting. Afterwards what the peer still sends can be read.
        SSL_set_shutdown(native(), SSL_RECEIVED_SHUTDOWN);
        error_code ignored;
        co_await stream_.async_shutdown(net::redirect_error(net::use_awaitable, ignored));
        SSL_set_shutdown(native(), SSL_SENT_SHUTDOWN);
        stream_.next_layer().shutdown(StreamSocket::shutdown_send, ignored);
    }

    void close() noexcept override {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }

    bool is_stale() noexcept override {
        // Not a peek at the socket: a session ticket may lie there, which says nothing.
        error_code error;
        StreamSocket& socket = stream_.next_layer();
        if (!socket.non_blocking()) socket.non_blocking(true, error);
        if (error) return true;
        char byte = 0;
        stream_.read_some(net::buffer(&byte, 1), error);
        return error != net::error::would_block;
    }

    SSL* native() { return stream_.native_handle(); }

  private:
    TlsContextPtr context_;
    ssl::stream<StreamSocket> stream_;
    std::string record_;
};

/// Says whom we expect: in the ClientHello for names, in the verification for names and IPs.
error_code expect_server(SSL* native, const std::string& server_name) {
    error_code error;
    net::ip::make_address(server_name, error);
    const bool is_ip = !error;
    bool ok = is_ip || SSL_set_tlsext_host_name(native, server_name.c_str()) == 1;

    X509_VERIFY_PARAM* const expected = SSL_get0_param(native);
    // Only alternative names count: a common name is free text (RFC 9525).
    X509_VERIFY_PARAM_set_hostflags(
        expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (is_ip) {
        ok = ok && X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1;
    } else {
        ok = ok && X509_VERIFY_PARAM_set1_host(expected, server_name.c_str(), 0) == 1;
    }
    error.clear();
    if (!ok) error = net::error::invalid_argument;
    return error;
}

Connected refused(error_code error) {
    Connected connected;
    connected.reason = Reason::tls;
    connected.error = error;
    return connected;
}

Connected established(std::unique_ptr<TlsStream> stream) {
    Connected connected;
    connected.stream = std::move(stream);
    return connected;
}

}  // namespace

awaitable<Connected> accept_tls(StreamSocket socket, TlsContextPtr context) {
    auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(context));
    const error_code error = co_await stream->handshake(ssl::stream_base::server);
    if (error) co_return refused(error);
    co_return established(std::move(stream));
}

awaitable<Connected> connect_tls(StreamSocket socket, TlsContextPtr context,
                                 std::string server_name) {
    auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(context));
    error_code error = expect_server(stream->native(), server_name);
    if (error) co_return refused(error);

    TlsSessionPtr session = take_session(stream->native(), server_name);
    if (session) SSL_set_session(stream->native(), session.get());
    error = co_await stream->handshake(ssl::stream_base::client);
    if (error) co_return refused(error);

    const bool is_reusable = SSL_version(stream->native()) < TLS1_3_VERSION;
    if (session && is_reusable && SSL_session_reused(stream->native()) == 1) {
        keep_session(stream->native(), std::move(session));
    }
    co_return established(std::move(stream));
}

}  // namespace fanfare
