#include "sink/route.h"

#include <optional>

#include "http/egress.h"
#include "http/proxy.h"

namespace fanfare {
namespace {

std::string server_name_of(const HttpSinkOptions& options, const Url& url) {
    if (!options.tls.server_name.empty()) return options.tls.server_name;
    // A name that ends in a dot is the same name, but not in a certificate.
    const bool is_rooted = url.host.size() > 1 && url.host.back() == '.';
    return is_rooted ? url.host.substr(0, url.host.size() - 1) : url.host;
}

Result<void> check_each(const std::vector<std::string>& no_proxy) {
    for (const std::string& listed : no_proxy) {
        const Result<void> checked = check_no_proxy(listed);
        if (checked.has_error()) {
            return Error("no_proxy \"" + listed + "\" " + checked.error().message());
        }
    }
    return {};
}

/// Where a proxy would have the request go is known if the host is an address.
error_code refusal_behind_proxy(const EgressPolicy& policy, const Url& url) {
    const std::optional<net::ip::address> address = literal_address(url.host);
    return address ? policy.check(*address) : error_code();
}

Result<void> go_by_proxy(Route& route, const HttpSinkOptions& options, const Url& url) {
    const Result<Url> proxy = parse_proxy(options.proxy);
    if (proxy.has_error()) return Error("proxy: " + proxy.error().message());
    route.host = proxy->host;
    route.port = proxy->port;
    if (url.is_tls()) {
        route.tunnel = make_tunnel(url, *proxy);
    } else {
        route.is_relayed = true;
        route.proxy_authorization = proxy->authorization;
    }
    return {};
}

}  // namespace

Url Route::asked_for(const Url& url) const {
    Url asked = url;
    if (is_relayed) asked.target = url.scheme + "://" + url.host_header + url.target;
    return asked;
}

HeadTemplate::Headers Route::headers(const HeadTemplate::Headers& configured) const {
    HeadTemplate::Headers all = configured;
    if (!proxy_authorization.empty()) all.emplace_back("Proxy-Authorization", proxy_authorization);
    return all;
}

Result<Route> make_route(const HttpSinkOptions& options, const Url& url, Connector& connector) {
    const Result<EgressPolicyPtr> policy = EgressPolicy::make(options.egress);
    if (policy.has_error()) return Error("egress: " + policy.error().message());
    if (const auto problem = (*policy)->check(url)) return Error("the URL " + *problem);
    const Result<void> listed = check_each(options.no_proxy);
    if (listed.has_error()) return listed.error();

    Route route;
    route.host = url.host;
    route.port = url.port;
    route.server_name = server_name_of(options, url);
    route.connector = std::make_shared<GuardedConnector>(*policy, connector);
    if (!options.proxy.empty() && !is_listed(url.host, options.no_proxy)) {
        const Result<void> proxied = go_by_proxy(route, options, url);
        if (proxied.has_error()) return proxied.error();
        route.refusal = refusal_behind_proxy(**policy, url);
    }
    if (url.is_tls()) {
        Result<std::shared_ptr<ClientTls>> tls = ClientTls::make(options.tls);
        if (tls.has_error()) return tls.error();
        route.tls = std::move(*tls);
    }
    return route;
}

}  // namespace fanfare
