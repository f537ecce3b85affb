#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fanfare/credentials.h"
#include "fanfare/egress.h"
#include "fanfare/error.h"
#include "fanfare/sink_maker.h"
#include "fanfare/tls.h"

namespace fanfare {

class Connector;
class Log;
class Resolver;

/// What is posted: the values of the key `format` (SPEC 6, lib/doc/wire.md).
enum class BodyFormat : std::uint8_t {
    envelope,
    event,
    cloudevents,
    cloudevents_binary,
    templated
};

/// As in the configuration.
std::string_view to_string(BodyFormat format) noexcept;

/// How one endpoint is reached (SPEC 6).
struct HttpSinkOptions {
    std::string url;  ///< http or https, posted to as configured; userinfo becomes Authorization
    /// Sent with every request, in this order; one that is named like a default replaces it.
    std::vector<std::pair<std::string, std::string>> headers;
    BodyFormat format = BodyFormat::envelope;
    /// Of the type of CloudEvents that are made of what came in no registry's envelope.
    std::string type_prefix = "fanfare.event";
    std::string body_template;  ///< of `templated`: JSON whose strings hold placeholders
    /// From connecting to the end of the response; ≤ 0: the default.
    Duration timeout = std::chrono::seconds(1);
    Duration connect_timeout{};  ///< its first part; 0: the same
    Duration idle_timeout = std::chrono::seconds(60);
    Duration connection_age_max = std::chrono::minutes(5);  ///< then resolve and connect anew
    std::vector<StatusRange> success = {StatusRange{}};     ///< empty: 2xx
    TlsOptions tls;
    /// `http://[user:password@]host:port`: what an http URL is asked for at, and a tunnel to an
    /// https one; empty: none, whatever the environment says.
    std::string proxy;
    std::vector<std::string> no_proxy;  ///< hosts, `.suffixes` and CIDRs that are reached directly
    EgressOptions egress;
    /// Begins the webhook-id of a batch, where another process must not come by the same: a UUID.
    std::string instance;
    SigningOptions signing;
    AuthOptions auth;
    bool operator==(const HttpSinkOptions&) const = default;
};

/// The real resolver and connector. One of each serves all endpoints of a process; `clock` must
/// outlive the resolver.
std::shared_ptr<Resolver> make_resolver(Clock& clock);
std::shared_ptr<Connector> make_connector();

/// Makes the HTTP sinks of one endpoint. The parts they share (parsed URL, prepared header, TLS
/// context) are built once, here, so that a bad option is known at start-up.
///
/// Resolver, connector and log must outlive the sinks. Each sink keeps one connection alive. If
/// requests are signed or authorized, all sinks of one maker belong to one shard: they share the
/// keys and the token. `log` is told of secret files that change or get unreadable; null: nobody.
Result<SinkMaker> make_http_sink_maker(HttpSinkOptions options, Resolver& resolver,
                                       Connector& connector, Log* log = nullptr);

/// What a status says about an attempt: delivered if it is in `success`, else refused.
Outcome classify(int http_status, const std::vector<StatusRange>& success) noexcept;

}  // namespace fanfare
