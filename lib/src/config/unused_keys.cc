#include "config/unused_keys.h"

#include "base/units.h"
#include "event/meta_rules.h"
#include "http/url.h"

namespace fanfare {
namespace {

bool has(const YamlNode& node, const char* key) {
    const YamlEntry* const entry = node.kind == YamlNode::Kind::mapping ? node.find(key) : nullptr;
    return entry != nullptr && entry->value->kind != YamlNode::Kind::null;
}

bool has(const YamlNode& node, const char* key, const char* inner) {
    return has(node, key) && has(*node.find(key)->value, inner);
}

bool has_type(BodyFormat format) {
    return format == BodyFormat::cloudevents || format == BodyFormat::cloudevents_binary;
}

bool is_plain(const std::string& url) {
    const Result<Url> parsed = parse_url(url);
    return parsed.has_value() && !parsed->is_tls();
}

/// Tells of keys of `queue` that have no effect without `storage`, in words.
class QueueRemarks {
  public:
    QueueRemarks(const Value& root, std::string storage)
        : root_(root), storage_(std::move(storage)) {}

    void warn(const char* key, bool is_default) const {
        if (is_default || !has(root_.node(), "queue", key)) return;
        root_.loading().warn("queue." + std::string(key) +
                             " has no effect without storage: " + storage_);
    }

  private:
    const Value& root_;
    std::string storage_;
};

void warn_of_nats_keys(const Value& root, const NatsOptions& nats) {
    const NatsOptions defaults;
    const QueueRemarks remarks(root, "nats");
    remarks.warn("servers", nats.servers == defaults.servers);
    remarks.warn("credentials_file", nats.credentials_file == defaults.credentials_file);
    remarks.warn("tls", nats.tls == defaults.tls);
    remarks.warn("stream", nats.stream == defaults.stream);
    remarks.warn("replicas", nats.replicas == defaults.replicas);
    remarks.warn("max_age", nats.max_age == defaults.max_age);
    remarks.warn("duplicate_window", nats.duplicate_window == defaults.duplicate_window);
    remarks.warn("ready_when_disconnected",
                 nats.ready_when_disconnected == defaults.ready_when_disconnected);
}

void warn_of_queue_keys(const Value& root, const StorageOptions& storage) {
    const StorageOptions defaults;
    if (!storage.is_durable()) {
        const QueueRemarks remarks(root, "disk");
        remarks.warn("dir", storage.dir == defaults.dir);
        remarks.warn("max_disk", storage.disk_bytes_max == defaults.disk_bytes_max);
        remarks.warn("recovery", storage.recovery == defaults.recovery);
    }
    if (!storage.is_durable() && !storage.is_shared()) {
        const QueueRemarks remarks(root, "disk or nats");
        remarks.warn("ack_timeout", storage.ack_timeout == defaults.ack_timeout);
        remarks.warn("removed_grace", storage.removed_grace == defaults.removed_grace);
    }
    if (!storage.is_shared()) warn_of_nats_keys(root, storage.nats);
}

}  // namespace

void warn_of_unused_top_keys(const Value& root, const Config& config) {
    warn_of_queue_keys(root, config.storage);
    const DeadLettersConfig& letters = config.dead_letters;
    const bool is_default = letters.bytes_max == DeadLettersConfig().bytes_max;
    const bool has_bytes = has(root.node(), "dead_letters", "max_bytes");
    const bool is_kept = !letters.dir.empty() || config.storage.is_shared();
    if (has_bytes && !is_default && !is_kept) {
        root.loading().warn("dead_letters.max_bytes has no effect without dead_letters.dir");
    }
}

void warn_of_rules_for_meta(const Value& endpoint, const EndpointConfig& config,
                            const MetaOptions& meta) {
    if (meta.enabled || !ask_for_meta(config.match)) return;
    endpoint.loading().warn("match of the endpoint " + in_quotes(config.name) +
                            " asks for events of Fanfare's own, and meta.enabled is false");
}

void warn_of_unused_keys(const Value& own, const EndpointConfig& endpoint) {
    const YamlNode& node = own.node();
    const HttpSinkOptions& http = endpoint.http;
    const EndpointConfig defaults;
    const auto warn = [&](const char* key, const char* why) {
        own.loading().warn(std::string(key) + " of the endpoint " + in_quotes(endpoint.name) +
                           " has no effect " + why);
    };
    if (has(node, "no_proxy") && !http.no_proxy.empty() && http.proxy.empty()) {
        warn("no_proxy", "without proxy");
    }
    const bool has_own_prefix = http.type_prefix != defaults.http.type_prefix;
    if (has(node, "type_prefix") && has_own_prefix && !has_type(http.format)) {
        warn("type_prefix", "with a format other than cloudevents and cloudevents-binary");
    }
    const bool has_own_linger = endpoint.batch.linger != defaults.batch.linger;
    if (has(node, "batch", "linger") && has_own_linger && endpoint.batch.events_max <= 1) {
        warn("batch.linger", "with max_events 1");
    }
    if (has(node, "tls") && http.tls != defaults.http.tls && is_plain(http.url)) {
        warn("tls", "on an http URL");
    }
    const bool is_breaker = endpoint.retry.strategy == RetryPolicy::Strategy::breaker;
    if (is_breaker) return;
    if (has(node, "threshold") && endpoint.retry.threshold != defaults.retry.threshold) {
        warn("threshold", "with the strategy exponential");
    }
    if (has(node, "backoff") && endpoint.retry.backoff != defaults.retry.backoff) {
        warn("backoff", "with the strategy exponential");
    }
}

}  // namespace fanfare
