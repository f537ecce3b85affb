#pragma once

#include <string>
#include <string_view>

#include "fanfare/error.h"
#include "http/simple_client.h"

namespace fanfare::command {

/// What a refusal says, for a person: `answered 413 BODY_TOO_LARGE: …`, with what stands in the
/// body if that has the registry's error form.
std::string explain(const SimpleRequest& request, const SimpleResponse& response);

/// Where `target` is found at `base`, which is `http://host:port` or `unix:/path/of/socket`.
std::string url_of(std::string base, std::string_view target);

/// `url`, with `target` if it is `unix:/path/of/socket` and names none.
std::string url_with_default(const std::string& url, std::string_view target);

/// Adds the bearer token that `file` holds to `request`; nothing if `file` is empty.
Result<void> add_token(SimpleRequest& request, const std::string& file);

}  // namespace fanfare::command
