#include "config/nats_keys.h"

#include <algorithm>
#include <array>

#include "base/units.h"
#include "config/checks.h"
#include "http/url.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::size_t servers_max = 64;
constexpr std::size_t stream_bytes_min = std::size_t{1024} * 1024;
constexpr std::array<unsigned, 3> replicas = {1, 3, 5};

Key servers_key() {
    TextListKind kind =
        text_list("a nats:// or tls:// URL", check_nats_url,
                  [](Target& t) -> decltype(auto) { return (t.config.storage.nats.servers); });
    kind.takes_scalar = true;
    kind.items_max = servers_max;
    kind.show = [](Target& target) {
        std::vector<std::string> shown;
        for (const std::string& url : target.config.storage.nats.servers) {
            shown.push_back(without_userinfo(url));
        }
        return shown;
    };
    return {"servers",
            "With `nats`: one of the servers at least, `nats://[user:password@]host[:4222]` or "
            "`tls://…`. Escapes such as `%40` are sent as they stand.",
            std::move(kind)};
}

Key nats_tls_key() {
    std::vector<Key> keys = {
        file_key(
            "ca_file", "Roots to trust instead of the system's, PEM.",
            [](Target& t) -> decltype(auto) { return (t.config.storage.nats.tls.ca_file); },
            "/etc/fanfare/nats-ca.crt"),
        file_key(
            "cert_file", "A client certificate and its chain, PEM; needs `key_file`.",
            [](Target& t) -> decltype(auto) { return (t.config.storage.nats.tls.cert_file); },
            "/etc/fanfare/nats.crt"),
        file_key(
            "key_file", "The client certificate's private key, PEM.",
            [](Target& t) -> decltype(auto) { return (t.config.storage.nats.tls.key_file); },
            "/etc/fanfare/nats.key"),
        {"insecure_skip_verify", "Accepts any certificate; warned about at each start.",
         BooleanKind{[](Target& t) -> decltype(auto) {
             return (t.config.storage.nats.tls.insecure_skip_verify);
         }}},
    };
    return {"tls", "With `nats`: any of these, or a `tls://` URL, and connections are encrypted.",
            MappingKind{std::move(keys), {{"cert_file", "key_file"}, {"key_file", "cert_file"}}}};
}

Key replicas_key() {
    ChoiceKind kind;
    for (const unsigned count : replicas) kind.names.push_back(std::to_string(count));
    kind.get = [](Target& target) -> std::optional<std::size_t> {
        const auto* const found =
            std::find(replicas.begin(), replicas.end(), target.config.storage.nats.replicas);
        if (found == replicas.end()) return std::nullopt;
        return static_cast<std::size_t>(found - replicas.begin());
    };
    kind.set = [](Target& target, std::size_t index) {
        target.config.storage.nats.replicas = replicas.at(index);
    };
    return {"replicas", "With `nats`: on how many servers each event is kept; 1 survives no loss.",
            std::move(kind)};
}

/// A key of `queue`, if it has a value.
std::optional<Value> queue_value(const Value& root, const char* key) {
    const YamlEntry* const queue = root.node().find("queue");
    if (queue == nullptr || queue->value->kind != YamlNode::Kind::mapping) return std::nullopt;
    const YamlEntry* const entry = queue->value->find(key);
    if (entry == nullptr || entry->value->kind == YamlNode::Kind::null) return std::nullopt;
    return root.entry(*queue).entry(*entry);
}

void check_servers(const Value& root, const NatsOptions& nats) {
    const char* const expected = "at least one nats:// or tls:// URL with storage: nats";
    const std::optional<Value> given = queue_value(root, "servers");
    if (!given) {
        root.entry(*root.node().find("queue")).refuse_missing("servers", expected);
    } else if (nats.servers.empty() && given->is_sequence() && given->node().items.empty()) {
        given->refuse(std::string("is empty; expected ") + expected);
    }
}

void check_bounds(const Value& root, const NatsOptions& nats) {
    const bool has_age = nats.max_age != Duration::zero();
    if (has_age && nats.max_age < nats.duplicate_window) {
        const std::optional<Value> max_age = queue_value(root, "max_age");
        if (max_age) {
            max_age->refuse("is shorter than duplicate_window; expected 0s, or at least that");
        }
    }
    const std::optional<Value> max_bytes = queue_value(root, "max_bytes");
    if (max_bytes && nats.bytes_max < stream_bytes_min) {
        max_bytes->refuse("is too small for a stream; expected at least 1MiB with storage: nats");
    }
}

void check_letters(const Value& root) {
    const YamlEntry* const letters = root.node().find("dead_letters");
    if (letters == nullptr || letters->value->kind != YamlNode::Kind::mapping) return;
    const YamlEntry* const dir = letters->value->find("dir");
    if (dir == nullptr || dir->value->kind == YamlNode::Kind::null) return;
    root.entry(*letters).entry(*dir).refuse(
        "not there with storage: nats, which keeps dead letters in a stream; expected none");
}

/// Its keys at the defaults of other storages do no harm.
void check_no_bounds(const Value& value, EndpointConfig& endpoint) {
    const YamlEntry* const queue = value.node().find("queue");
    if (queue == nullptr || queue->value->kind != YamlNode::Kind::mapping) return;
    const QueueBounds elsewhere = EndpointConfig().queue;
    if (endpoint.queue.bytes_max == elsewhere.bytes_max) endpoint.queue.bytes_max = 0;
    const auto refuse = [&](const char* key, bool is_default) {
        const YamlEntry* const entry = queue->value->find(key);
        if (is_default || entry == nullptr) return;
        value.entry(*queue).refuse_key(
            *entry, "not there with storage: nats, whose stream has bounds; expected none");
    };
    refuse("max_events", endpoint.queue.events_max == 0);
    refuse("max_bytes", endpoint.queue.bytes_max == 0);
    refuse("overflow", endpoint.queue.overflow == elsewhere.overflow);
}

/// It decides which partition of the stream an event is in, for all endpoints.
void check_same_order(const Value& value, const EndpointConfig& endpoint, const Config& config) {
    if (endpoint.order_by.empty()) return;
    for (const EndpointConfig& other : config.endpoints) {
        if (other.order_by.empty()) continue;
        if (other.order_by == endpoint.order_by) return;
        value.refuse_key(*value.node().find("order_by"),
                         "is not that of the endpoint " + in_quotes(other.name) +
                             "; expected the same one everywhere with storage: nats");
        return;
    }
}

}  // namespace

std::vector<Key> nats_keys() {
    Key credentials = file_key(
        "credentials_file", "With `nats`: a file of credentials, as `nsc` makes them.",
        [](Target& t) -> decltype(auto) { return (t.config.storage.nats.credentials_file); },
        "/run/secrets/nats.creds");
    Key stream{
        "stream",
        "With `nats`: the name of the stream; others begin with it and are made beside it.",
        TextKind{"a name of A-Z a-z 0-9 _ -", check_stream_name,
                 [](Target& t) -> decltype(auto) { return (t.config.storage.nats.stream); }}};
    Key max_age{"max_age",
                "With `nats`: older events are gone, even if they were not delivered; 0s: none is.",
                DurationKind{Duration::zero(), hours(24 * 365), [](Target& t) -> decltype(auto) {
                                 return (t.config.storage.nats.max_age);
                             }}};
    Key duplicate_window{
        "duplicate_window",
        "With `nats`: how long ids are remembered; an event that comes again, to whichever "
        "process, is taken and not stored again.",
        DurationKind{milliseconds(100), hours(24), [](Target& t) -> decltype(auto) {
                         return (t.config.storage.nats.duplicate_window);
                     }}};
    Key ready{"ready_when_disconnected",
              "With `nats`: whether `/readyz` says so while no server can be reached.",
              BooleanKind{[](Target& t) -> decltype(auto) {
                  return (t.config.storage.nats.ready_when_disconnected);
              }}};
    return {servers_key(),
            std::move(credentials),
            nats_tls_key(),
            std::move(stream),
            replicas_key(),
            std::move(max_age),
            std::move(duplicate_window),
            std::move(ready)};
}

void check_nats(const Value& root, const Config& config) {
    if (!config.storage.is_shared()) return;
    if (!is_nats_built_in()) {
        const std::optional<Value> storage = queue_value(root, "storage");
        if (storage) {
            storage->refuse(
                "\"nats\" is known, but this build has no NATS; expected one of "
                "memory, disk");
        }
    }
    check_servers(root, config.storage.nats);
    check_bounds(root, config.storage.nats);
    check_letters(root);
}

void check_for_nats(const Value& value, EndpointConfig& endpoint, const Config& config) {
    check_no_bounds(value, endpoint);
    check_same_order(value, endpoint, config);
    const YamlEntry* const batch = value.node().find("batch");
    if (batch == nullptr || endpoint.batch.events_max <= 1) return;
    value.refuse_key(*batch,
                     "max_events above 1 does not go with storage: nats; expected max_events 1");
}

}  // namespace fanfare
