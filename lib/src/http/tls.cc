#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <string_view>

#include "base/files.h"
#include "http/tls_session.h"

namespace fanfare {
namespace {

namespace ssl = boost::asio::ssl;

/// In the form of ALPN: length, then name.
constexpr std::string_view http_1_1 = "\x08http/1.1";

/// No certificate file is longer; system bundles have about 0.2 MiB.
constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

Error file_error(std::string_view option, const std::string& file, const std::string& reason) {
    std::string message(option);
    message.append(" \"").append(file).append("\": ").append(reason);
    return Error(std::move(message));
}

Result<std::string> read_option(std::string_view option, const std::string& file) {
    Result<std::string> text = read_file(file, file_bytes_max);
    if (text.has_error()) return file_error(option, file, text.error().message());
    return text;
}

TlsContextPtr make_context(ssl::context::method method) {
    auto context = std::make_shared<ssl::context>(method);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    // Without this OpenSSL asks for a passphrase on the terminal.
    context->set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string(); });
    return context;
}

Result<void> use_ca(ssl::context& context, std::string_view option, const std::string& file) {
    const Result<std::string> text = read_option(option, file);
    if (text.has_error()) return text.error();
    // Asio takes a file without any certificate in it for a good one.
    if (text->find("-----BEGIN ") == std::string::npos) {
        return file_error(option, file, "holds no PEM certificate");
    }
    error_code error;
    context.add_certificate_authority(boost::asio::buffer(*text), error);
    if (error) return file_error(option, file, error.message());
    return {};
}

Result<void> use_certificate(ssl::context& context, const std::string& cert_file,
                             const std::string& key_file) {
    const Result<std::string> chain = read_option("cert_file", cert_file);
    if (chain.has_error()) return chain.error();
    const Result<std::string> key = read_option("key_file", key_file);
    if (key.has_error()) return key.error();

    error_code error;
    context.use_certificate_chain(boost::asio::buffer(*chain), error);
    if (error) return file_error("cert_file", cert_file, error.message());
    context.use_private_key(boost::asio::buffer(*key), ssl::context::pem, error);
    if (error) return file_error("key_file", key_file, error.message());
    return {};
}

int select_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    const auto* ours = reinterpret_cast<const unsigned char*>(http_1_1.data());
    unsigned char* selected = nullptr;
    const int match = SSL_select_next_proto(
        &selected, out_size, ours, static_cast<unsigned>(http_1_1.size()), offered, offered_size);
    if (match != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

Result<void> use_roots(ssl::context& context, const TlsOptions& options) {
    if (options.insecure_skip_verify) {
        context.set_verify_mode(ssl::verify_none);
        return {};
    }
    context.set_verify_mode(ssl::verify_peer);
    if (!options.ca_file.empty()) return use_ca(context, "ca_file", options.ca_file);
    error_code error;
    context.set_default_verify_paths(error);
    if (error) return Error("the system's root certificates: " + error.message());
    return {};
}

}  // namespace

Result<TlsContextPtr> make_client_tls(const TlsOptions& options) {
    if (options.cert_file.empty() != options.key_file.empty()) {
        return Error("cert_file and key_file belong together: only one of them is set");
    }
    TlsContextPtr context = make_context(ssl::context::tls_client);
    SSL_CTX* const native = context->native_handle();
    if (options.min_version == TlsOptions::MinVersion::tls1_3) {
        SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
    }
    const Result<void> roots = use_roots(*context, options);
    if (roots.has_error()) return roots.error();
    if (!options.cert_file.empty()) {
        const Result<void> used = use_certificate(*context, options.cert_file, options.key_file);
        if (used.has_error()) return used.error();
    }
    SSL_CTX_set_alpn_protos(native, reinterpret_cast<const unsigned char*>(http_1_1.data()),
                            static_cast<unsigned>(http_1_1.size()));
    keep_sessions(native);
    return context;
}

Result<TlsContextPtr> make_server_tls(const TlsServerOptions& options) {
    if (options.cert_file.empty() || options.key_file.empty()) {
        return Error("cert_file and key_file are both needed");
    }
    TlsContextPtr context = make_context(ssl::context::tls_server);
    SSL_CTX* const native = context->native_handle();
    const Result<void> used = use_certificate(*context, options.cert_file, options.key_file);
    if (used.has_error()) return used.error();
    if (!options.client_ca_file.empty()) {
        const Result<void> ca = use_ca(*context, "client_ca_file", options.client_ca_file);
        if (ca.has_error()) return ca.error();
        context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    }
    SSL_CTX_set_alpn_select_cb(native, select_http_1_1, nullptr);
    // Sessions of clients with a certificate can be resumed only in a named context.
    constexpr std::string_view name = "fanfare";
    SSL_CTX_set_session_id_context(native, reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<unsigned>(name.size()));
    return context;
}

}  // namespace fanfare
