#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "fanfare/http_sink.h"
#include "http/client_tls.h"
#include "http/connector.h"
#include "http/url.h"
#include "sink/head_template.h"

namespace fanfare {

/// The way to a receiver, directly or through a proxy, with the policy that watches over it.
struct Route {
    std::string host;  ///< to be resolved: the receiver's or the proxy's
    std::uint16_t port = 0;
    TunnelPtr tunnel;                ///< null: none
    std::shared_ptr<ClientTls> tls;  ///< null: plain
    std::string server_name;         ///< for TLS
    /// Never null; asks the policy before each connection.
    std::shared_ptr<Connector> connector;
    /// Why a proxy must not be asked for the receiver; no error: it may.
    error_code refusal;
    bool is_relayed = false;          ///< a proxy reads the requests and sends them on
    std::string proxy_authorization;  ///< for it

    /// What the request line is about: all of a URL if a proxy relays it.
    Url asked_for(const Url& url) const;
    /// With what the proxy wants to see besides.
    HeadTemplate::Headers headers(const HeadTemplate::Headers& configured) const;
};

/// An Error tells of a bad proxy, CIDR or TLS file, or of a URL that `options.egress` refuses.
/// `connector` must outlive the route.
Result<Route> make_route(const HttpSinkOptions& options, const Url& url, Connector& connector);

}  // namespace fanfare
