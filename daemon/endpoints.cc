#include "endpoints.h"

#include <memory>
#include <utility>
#include <vector>

#include "config/effective.h"
#include "event/meta_rules.h"
#include "http/url.h"

namespace fanfare {
namespace {

std::unique_ptr<Filter> make_filter(const EndpointConfig& endpoint) {
    std::vector<std::unique_ptr<Filter>> parts;
    if (!endpoint.ignored_media_types.empty() || !endpoint.ignored_actions.empty()) {
        parts.push_back(
            std::make_unique<IgnoreFilter>(endpoint.ignored_media_types, endpoint.ignored_actions));
    }
    if (!endpoint.match.empty()) parts.push_back(std::make_unique<MatchFilter>(endpoint.match));
    if (parts.empty()) return nullptr;
    return std::make_unique<AllOfFilter>(std::move(parts));
}

}  // namespace

EndpointInfo describe(const EndpointConfig& endpoint) {
    const HttpSinkOptions& http = endpoint.http;
    EndpointInfo info;
    info.name = endpoint.name;
    info.is_disabled = endpoint.disabled;
    info.url = shown_url(endpoint);
    for (const auto& header : http.headers) info.header_names.push_back(header.first);
    info.format = http.format;
    info.timeout = http.timeout;
    info.connect_timeout =
        http.connect_timeout == Duration::zero() ? http.timeout : http.connect_timeout;
    info.success = http.success;
    info.max_in_flight = endpoint.max_in_flight;
    info.order_by = endpoint.order_by;
    info.batch = endpoint.batch;
    info.queue = endpoint.queue;
    info.retry = endpoint.retry;
    info.ignored_media_types = endpoint.ignored_media_types;
    info.ignored_actions = endpoint.ignored_actions;
    info.match = endpoint.match;
    info.insecure_skip_verify = http.tls.insecure_skip_verify;
    info.signing_scheme = http.signing.scheme;
    info.signing_secrets = http.signing.secrets.size();
    info.auth_type = http.auth.type;
    info.idle_timeout = http.idle_timeout;
    if (!http.proxy.empty()) info.proxy = redacted_url(http.proxy);
    info.no_proxy = http.no_proxy;
    return info;
}

Result<EndpointOptions> make_options(const EndpointConfig& endpoint, const EndpointParts& parts) {
    HttpSinkOptions http = endpoint.http;
    http.instance = parts.instance;
    Result<SinkMaker> make_sink =
        make_http_sink_maker(std::move(http), parts.resolver, parts.connector, &parts.log);
    if (!make_sink) {
        return Error("endpoint " + endpoint.name + ": " + make_sink.error().message());
    }
    EndpointOptions options;
    options.name = endpoint.name;
    options.max_in_flight = endpoint.max_in_flight;
    options.order_by = endpoint.order_by;
    options.batch = endpoint.batch;
    options.bounds = endpoint.queue;
    options.retry = endpoint.retry;
    options.filter = make_filter(endpoint);
    options.make_sink = std::move(*make_sink);
    options.dead_letters = parts.dead_letters;
    options.asks_for_meta = ask_for_meta(endpoint.match);
    options.news = parts.news;
    options.holds = parts.holds;
    options.first_hold = parts.first_hold;
    return options;
}

void warn_of(const EndpointConfig& endpoint, Log& log) {
    if (endpoint.disabled || !endpoint.http.tls.insecure_skip_verify) return;
    log.warn("daemon", "certificates of an endpoint are not verified",
             {{"endpoint", endpoint.name}});
}

}  // namespace fanfare
