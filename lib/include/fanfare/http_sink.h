#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fanfare/endpoint.h"
#include "fanfare/error.h"
#include "fanfare/sink.h"

namespace fanfare {

class Connector;
class Resolver;

enum class BodyFormat : std::uint8_t { envelope, event };

/// TLS towards one endpoint. Verification is on by default: chain, and host name or IP.
struct TlsOptions {
    enum class MinVersion : std::uint8_t { tls1_2, tls1_3 };

    std::string ca_file;    ///< PEM; empty: the system's roots
    std::string cert_file;  ///< PEM, client certificate; with key_file or not at all
    std::string key_file;
    std::string server_name;  ///< for SNI and verification; empty: the URL's host
    MinVersion min_version = MinVersion::tls1_2;
    bool insecure_skip_verify = false;
};

/// An inclusive range of HTTP statuses.
struct StatusRange {
    int first = 200;
    int last = 299;
};

/// How one endpoint is reached (SPEC 6).
struct HttpSinkOptions {
    std::string url;  ///< http or https, posted to as configured; userinfo becomes Authorization
    /// Sent with every request, in this order; one that is named like a default replaces it.
    std::vector<std::pair<std::string, std::string>> headers;
    BodyFormat format = BodyFormat::envelope;
    Duration timeout = std::chrono::seconds(1);  ///< connect to the end of the response
    Duration connect_timeout{};                  ///< its first part; 0: the same
    Duration idle_timeout = std::chrono::seconds(60);
    Duration connection_age_max = std::chrono::minutes(5);  ///< then resolve and connect anew
    std::vector<StatusRange> success = {StatusRange{}};     ///< never empty
    TlsOptions tls;
};

/// Makes the HTTP sinks of one endpoint. The parts they share (parsed URL, prepared header, TLS
/// context) are built once, here, so that a bad option is known at start-up.
///
/// Resolver and connector must outlive the sinks. Each sink keeps one connection alive.
Result<SinkMaker> make_http_sink_maker(HttpSinkOptions options, Resolver& resolver,
                                       Connector& connector);

/// What a status says about an attempt: delivered if it is in `success`, else refused.
Outcome classify(int http_status, const std::vector<StatusRange>& success) noexcept;

}  // namespace fanfare
