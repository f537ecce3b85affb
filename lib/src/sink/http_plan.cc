#include "sink/http_plan.h"

#include <utility>

namespace fanfare {
namespace {

std::string server_name_of(const HttpSinkOptions& options, const Url& url) {
    if (!options.tls.server_name.empty()) return options.tls.server_name;
    // A name that ends in a dot is the same name, but not in a certificate.
    const bool is_rooted = url.host.size() > 1 && url.host.back() == '.';
    return is_rooted ? url.host.substr(0, url.host.size() - 1) : url.host;
}

}  // namespace

Result<HttpPlan> make_http_plan(HttpSinkOptions options, Resolver& resolver, Connector& connector) {
    Result<Url> url = parse_url(options.url);
    if (url.has_error()) return url.error();
    Result<HeadTemplate> head = HeadTemplate::make(*url, options.headers);
    if (head.has_error()) return head.error();
    TlsContextPtr tls;
    if (url->is_tls()) {
        Result<TlsContextPtr> made = make_client_tls(options.tls);
        if (made.has_error()) return made.error();
        tls = std::move(*made);
    }
    if (options.timeout <= Duration::zero()) options.timeout = HttpSinkOptions{}.timeout;
    if (options.success.empty()) options.success = HttpSinkOptions{}.success;
    std::string server_name = server_name_of(options, *url);
    return HttpPlan{.options = std::move(options),
                    .url = std::move(*url),
                    .head = std::move(*head),
                    .tls = std::move(tls),
                    .server_name = std::move(server_name),
                    .resolver = resolver,
                    .connector = connector};
}

}  // namespace fanfare
