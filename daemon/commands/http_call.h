#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare::command {

/// One request to a daemon, as the commands make it.
struct HttpCall {
    std::string method = "GET";
    std::string url;  ///< http, https or `unix:/path/of/socket:/target`
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    Duration timeout = std::chrono::seconds(10);
};

struct HttpAnswer {
    int status = 0;
    std::string body;
};

/// Makes the request and waits for its answer. Blocks: not from an event loop.
Result<HttpAnswer> call(HttpCall request);

/// What a refusal says, for a person: `413 BODY_TOO_LARGE: too large (…)`, from the registry's
/// error form if the body has it.
std::string explain(const HttpAnswer& answer);

/// The bearer header with what `file` holds, added to `call`; nothing if `file` is empty.
Result<void> add_token(HttpCall& request, const std::string& file);

}  // namespace fanfare::command
