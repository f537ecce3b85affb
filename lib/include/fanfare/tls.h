#pragma once

#include <cstdint>
#include <string>

namespace fanfare {

/// TLS towards one endpoint. Verification is on by default: chain, and host name or IP.
struct TlsOptions {
    enum class MinVersion : std::uint8_t { tls1_2, tls1_3 };

    std::string ca_file;    ///< PEM; empty: the system's roots
    std::string cert_file;  ///< PEM, client certificate; with key_file or not at all
    std::string key_file;
    std::string server_name;  ///< for SNI and verification; empty: the URL's host
    MinVersion min_version = MinVersion::tls1_2;
    bool insecure_skip_verify = false;
    bool operator==(const TlsOptions&) const = default;
};

/// TLS of a listener. With client_ca_file a client certificate is required.
struct TlsServerOptions {
    std::string cert_file;  ///< empty: plain HTTP
    std::string key_file;
    std::string client_ca_file;
    bool operator==(const TlsServerOptions&) const = default;
};

}  // namespace fanfare
