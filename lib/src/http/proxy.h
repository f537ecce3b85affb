#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fanfare/error.h"
#include "http/tunnel.h"
#include "http/url.h"

namespace fanfare {

/// `http://[user:password@]host:port`, with nothing behind it. The message never holds userinfo.
Result<Url> parse_proxy(std::string_view text);

/// Whether `text` can stand in `no_proxy`: a host, a `.suffix` of hosts or a CIDR.
Result<void> check_no_proxy(std::string_view text);

/// Whether `host` is reached directly: it is listed, ends in a listed suffix (and is not the name
/// behind the dot itself), or is an address in a listed block. Names are not resolved for that.
bool is_listed(const std::string& host, const std::vector<std::string>& no_proxy);

/// The request for a tunnel to `url`'s host and port by way of `proxy`.
TunnelPtr make_tunnel(const Url& url, const Url& proxy);

}  // namespace fanfare
