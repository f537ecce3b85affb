#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/tls.h"

namespace fanfare {

/// What a listener bears. Every bound here has an answer when it is passed (SPEC 4).
struct ListenerOptions {
    /// Each `host:port`, `[v6]:port` (port 0: any free one) or `unix:/path`.
    std::vector<std::string> listen;
    std::size_t body_bytes_max = 4 * 1024 * 1024;        ///< 413 beyond
    std::size_t connections_max = 4096;                  ///< 503 beyond
    Duration header_timeout = std::chrono::seconds(10);  ///< first byte to end of head: 408
    Duration body_timeout = std::chrono::seconds(30);    ///< end of head to end of body: 408
    Duration idle_timeout = std::chrono::seconds(75);    ///< between requests: closed silently
    /// A POST that does not say how long it is: 411. Else it is one without a body.
    bool post_needs_length = true;
    TlsServerOptions tls{};
    bool operator==(const ListenerOptions&) const = default;
};

/// Whether events that are sent again are delivered again (SPEC 4).
struct DedupOptions {
    Duration window{};             ///< since an id was accepted; 0: nothing is remembered
    std::size_t ids_max = 100000;  ///< the oldest beyond are forgotten
    bool operator==(const DedupOptions&) const = default;
};

struct IngestOptions {
    ListenerOptions listener{.listen = {"127.0.0.1:8080"}};
    std::string path = "/events";
    std::size_t events_max = 10000;  ///< per request; 413 beyond
    std::string bearer_token_file;   ///< empty: no token is asked for
    DedupOptions dedup{};
    bool operator==(const IngestOptions&) const = default;
};

struct AdminOptions {
    /// `curl -X POST` without a body names no length.
    ListenerOptions listener{.listen = {"127.0.0.1:8081"}, .post_needs_length = false};
    std::string bearer_token_file;  ///< empty: only loopback and unix peers see more than health
    bool registry_metrics = false;
    bool operator==(const AdminOptions&) const = default;
};

}  // namespace fanfare
