#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fanfare/error.h"

namespace fanfare {

/// The parts of an absolute http or https URL (RFC 3986).
struct Url {
    std::string scheme;  ///< "http" or "https", lower case
    std::string host;    ///< decoded; an IPv6 literal without brackets
    std::uint16_t port = 0;
    std::string host_header;    ///< host as written, with the port if it is not the default one
    std::string target;         ///< path and query exactly as written; "/" if empty
    std::string authorization;  ///< `Basic …` from the userinfo, percent-decoded; else empty

    bool is_tls() const noexcept { return scheme == "https"; }
};

/// Refuses what cannot be posted to: another scheme, no host, a bad port, a fragment, control
/// characters or blanks. The message never holds userinfo.
Result<Url> parse_url(std::string_view text);

/// `text` as it is, but without userinfo (SPEC 3): for those who may see the configuration.
std::string without_userinfo(std::string_view text);

/// `text` without userinfo and query, for logs; `<bad url>` if it is none.
std::string redacted_url(std::string_view text);

/// Scheme, host and port only, `https://a:8443/…`; `<bad url>` if it is none.
std::string redacted_origin(std::string_view text);

}  // namespace fanfare
