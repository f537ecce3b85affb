#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/error.h"
#include "fanfare/tls.h"

namespace fanfare {

/// One HTTP request for the command line.
struct SimpleRequest {
    using Headers = std::vector<std::pair<std::string, std::string>>;

    std::string method = "GET";  ///< not HEAD
    /// http, https, or `unix:/path/of/socket[:/target]`; userinfo becomes Authorization.
    std::string url;
    Headers headers;  ///< besides Host, User-Agent, Content-Length and Connection
    std::string body;
    Duration timeout = std::chrono::seconds(10);                 ///< for everything together
    std::size_t body_bytes_max = std::size_t{64} * 1024 * 1024;  ///< of the answer
    std::vector<std::string> wanted_headers;                     ///< of the answer
    TlsOptions tls;
};

struct SimpleResponse {
    int status = 0;
    SimpleRequest::Headers headers;  ///< those that were wanted and are there
    std::string body;
};

/// Makes the request and waits for the whole answer, whatever its status. Redirects are not
/// followed. Blocks on an event loop of its own: never call it from a coroutine. A name that the
/// system is slow to look up can hold the return up beyond the timeout.
Result<SimpleResponse> fetch(const SimpleRequest& request);

}  // namespace fanfare
