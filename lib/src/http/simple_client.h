#pragma once

#include <functional>
#include <string>
#include <string_view>
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
    /// Once this descriptor can be read, the request ends with an error; -1: none. It stays open.
    int stop_descriptor = -1;
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

/// What becomes of an answer that is read as it comes, and may go on for ever.
struct BodyReader {
    /// Gets each piece of the body of a 2xx; false: that was enough.
    std::function<bool(std::string_view)> take;
    /// So long nothing need come. Beyond, the connection counts as lost.
    Duration quiet_max = std::chrono::seconds(60);
};

/// As fetch(), but `reader` gets the body of a 2xx instead of the response, and `timeout` ends with
/// the head of the answer. An Error also if the connection ends before the answer does: what the
/// reader has got by then has been received.
Result<SimpleResponse> fetch_stream(const SimpleRequest& request, const BodyReader& reader);

}  // namespace fanfare
