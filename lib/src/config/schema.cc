#include "config/schema.h"

#include <algorithm>

#include "base/units.h"
#include "config/action_values.h"
#include "config/checks.h"
#include "config/egress_keys.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr const char* listen_example = "[127.0.0.1:8080, '[::1]:8080', unix:/run/fanfare.sock]";

Key listen_key(std::string description, std::vector<std::string>& (*at)(Target&)) {
    TextListKind kind =
        text_list("an address: host:port, [v6]:port or unix:/path", check_listen_address, at);
    kind.takes_scalar = true;
    kind.takes_empty = false;
    kind.refuses_repeated = true;
    kind.items_max = 64;
    return {"listen", std::move(description), std::move(kind), false, {}, listen_example};
}

Key timeout_key(std::string name, std::string description, Duration& (*at)(Target&)) {
    return {std::move(name),
            std::move(description),
            DurationKind{milliseconds(1), hours(1), at},
            false,
            {},
            {}};
}

Key ingest_tls_key() {
    Key cert_file = file_key(
        "cert_file", "The certificate and its chain, PEM.",
        [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.tls.cert_file); },
        "/etc/fanfare/tls.crt");
    Key key_file = file_key(
        "key_file", "The private key, PEM.",
        [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.tls.key_file); },
        "/etc/fanfare/tls.key");
    Key client_ca_file = file_key(
        "client_ca_file", "Clients must have a certificate that one of these signed, PEM.",
        [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.tls.client_ca_file); },
        "/etc/fanfare/clients-ca.crt");
    cert_file.is_required = true;
    key_file.is_required = true;
    Key tls{
        "tls", "HTTPS instead of HTTP, TLS 1.2 or newer.",
        MappingKind{{std::move(cert_file), std::move(key_file), std::move(client_ca_file)}, {}}};
    tls.needs_value = true;
    return tls;
}

std::vector<Key> ingest_timeouts() {
    return {
        timeout_key(
            "header_timeout", "From the first byte of a request to the end of its head.",
            [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.header_timeout); }),
        timeout_key(
            "body_timeout", "From the end of the head to the end of the body.",
            [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.body_timeout); }),
        timeout_key(
            "idle_timeout", "Between two requests of a connection.",
            [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.idle_timeout); }),
    };
}

Key dedup_key() {
    Key window{
        "window",
        "How long an id is remembered: an event that comes again is taken and not sent again, "
        "409 if its payload differs; 0s: never.",
        DurationKind{Duration::zero(), hours(24 * 7),
                     [](Target& t) -> decltype(auto) { return (t.config.ingest.dedup.window); }}};
    Key max_ids{"max_ids", "Most ids remembered, some 150 bytes each; the oldest go first.",
                integer<std::size_t>(1, 10'000'000, [](Target& t) -> decltype(auto) {
                    return (t.config.ingest.dedup.ids_max);
                })};
    return {"dedup", "What becomes of events that are sent again.",
            MappingKind{{std::move(window), std::move(max_ids)}, {}}};
}

Key ingest_key() {
    std::vector<Key> keys = {
        listen_key("Where events are posted to; a list for several addresses.",
                   [](Target& t) -> decltype(auto) { return (t.config.ingest.listener.listen); }),
        {"path", "The path that events are posted to.",
         TextKind{"a path that begins with /", check_request_path,
                  [](Target& t) -> decltype(auto) { return (t.config.ingest.path); }}},
        {"max_body", "Longest request body; 413 beyond.",
         SizeKind{kib, gib,
                  [](Target& t) -> decltype(auto) {
                      return (t.config.ingest.listener.body_bytes_max);
                  }}},
        {"max_events", "Most events in one request; 413 beyond.",
         integer<std::size_t>(
             1, 1'000'000,
             [](Target& t) -> decltype(auto) { return (t.config.ingest.events_max); })},
        {"max_connections", "Most connections at once; 503 beyond.",
         integer<std::size_t>(1, 1'000'000,
                              [](Target& t) -> decltype(auto) {
                                  return (t.config.ingest.listener.connections_max);
                              })},
    };
    for (Key& key : ingest_timeouts()) keys.push_back(std::move(key));
    keys.push_back(file_key(
        "bearer_token_file",
        "A file with the token that a request must bear; without it, all may "
        "post.",
        [](Target& t) -> decltype(auto) { return (t.config.ingest.bearer_token_file); },
        "/run/secrets/ingest-token"));
    keys.push_back(ingest_tls_key());
    keys.push_back(dedup_key());
    return {"ingest", "The listener that takes events.", MappingKind{std::move(keys), {}}};
}

Key admin_key() {
    std::vector<Key> keys = {
        listen_key("Where metrics, health and the admin API are served.",
                   [](Target& t) -> decltype(auto) { return (t.config.admin.listener.listen); }),
        file_key(
            "bearer_token_file",
            "A file with the token that peers from elsewhere need for anything beyond "
            "/metrics, /healthz and /readyz; without it, they get no more than these.",
            [](Target& t) -> decltype(auto) { return (t.config.admin.bearer_token_file); },
            "/run/secrets/admin-token"),
        {"registry_metrics", "Serves the registry's own metric names, too.",
         BooleanKind{
             [](Target& t) -> decltype(auto) { return (t.config.admin.registry_metrics); }}},
    };
    return {"admin", "The listener for operators.", MappingKind{std::move(keys), {}}};
}

Key log_key() {
    std::vector<Key> keys = {
        {"level", "The least level that is logged.",
         choice<LogLevel>({"trace", "debug", "info", "warning", "error", "critical"},
                          [](Target& t) -> decltype(auto) { return (t.config.log.level); })},
        {"format", "One line per event of interest, for people or for programs.",
         choice<LogFormat>({"text", "json"},
                           [](Target& t) -> decltype(auto) { return (t.config.log.format); })},
    };
    return {"log", "What is written to stderr.", MappingKind{std::move(keys), {}}};
}

}  // namespace

Key file_key(std::string name, std::string description, At<std::string> at, std::string example) {
    return {std::move(name),
            std::move(description),
            TextKind{"the path of a file", check_file, std::move(at)},
            false,
            {},
            std::move(example),
            true};
}

TextListKind text_list(std::string expected, Check check,
                       std::vector<std::string>& (*at)(Target&)) {
    TextListKind kind{std::move(expected), std::move(check)};
    kind.get = [at](Target& target) { return at(target); };
    kind.set = [at](Target& target, std::vector<std::string> texts) {
        at(target) = std::move(texts);
    };
    return kind;
}

std::vector<std::string> names_of(const std::vector<Key>& keys) {
    std::vector<std::string> names;
    for (const Key& key : keys) names.push_back(key.name);
    return names;
}

Schema make_schema() {
    using Form = EndpointsKind::Form;
    Key drain{"drain", "How long queues may empty after SIGTERM; what is left is counted.",
              DurationKind{Duration::zero(), hours(1),
                           [](Target& t) -> decltype(auto) { return (t.config.shutdown_drain); }}};
    Schema schema;
    schema.top = {
        ingest_key(),
        admin_key(),
        log_key(),
        {"threads", "Event-loop threads; 0: the CPUs that the process may use.",
         integer<unsigned>(0, 256, [](Target& t) -> decltype(auto) { return (t.config.threads); })},
        queue_key(),
        dead_letters_key(),
        make_egress_key(),
        meta_key(),
        history_key(),
        streams_key(),
        reload_key(),
        {"shutdown", "How the daemon ends.", MappingKind{{std::move(drain)}, {}}},
        action_groups_key(),
        {"defaults",
         "Values for endpoints that do not set the key themselves, whole values: any endpoint key "
         "but `name` and `url`.",
         EndpointsKind{Form::defaults}},
        {"endpoints", "Where events are delivered to; may be empty.", EndpointsKind{Form::list},
         true},
        {"notifications",
         "The registry's block, in place of `endpoints`: `endpoints` within it is the same list; "
         "`events` concerns only the registry.",
         EndpointsKind{Form::notifications}},
    };
    schema.endpoint = make_endpoint_keys();
    return schema;
}

const Key* Schema::find_top(std::string_view name) const noexcept {
    const auto found =
        std::find_if(top.begin(), top.end(), [&](const Key& key) { return key.name == name; });
    return found == top.end() ? nullptr : &*found;
}

}  // namespace fanfare
