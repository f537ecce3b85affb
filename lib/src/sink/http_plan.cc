#include "sink/http_plan.h"

#include <utility>

namespace fanfare {

Result<HttpPlan> make_http_plan(HttpSinkOptions options, Resolver& resolver, Connector& connector) {
    Result<Url> url = parse_url(options.url);
    if (url.has_error()) return url.error();
    Result<Route> route = make_route(options, *url, connector);
    if (route.has_error()) return route.error();
    url = route->asked_for(*url);
    Result<HeadTemplate> head = HeadTemplate::make(*url, route->headers(options.headers));
    if (head.has_error()) return head.error();
    Result<std::unique_ptr<Format>> format = make_format(options);
    if (format.has_error()) return format.error();
    if (options.timeout <= Duration::zero()) options.timeout = HttpSinkOptions{}.timeout;
    if (options.success.empty()) options.success = HttpSinkOptions{}.success;
    return HttpPlan{.options = std::move(options),
                    .url = std::move(*url),
                    .head = std::move(*head),
                    .format = std::move(*format),
                    .route = std::move(*route),
                    .resolver = resolver};
}

}  // namespace fanfare
