#include "config/queue_keys.h"

#include "base/units.h"

namespace fanfare {
namespace {

/// Where the policy stands; null if it is the default.
const YamlEntry* find_overflow(const YamlNode& endpoint) {
    const YamlEntry* const queue = endpoint.find("queue");
    const bool is_mapping = queue != nullptr && queue->value->kind == YamlNode::Kind::mapping;
    return is_mapping ? queue->value->find("overflow") : nullptr;
}

}  // namespace

Key endpoint_queue_key() {
    Key events{"max_events", "Events that may be pending, those in flight included; 0: no limit.",
               integer<std::size_t>(0, 1'000'000'000, [](Target& t) -> decltype(auto) {
                   return (t.endpoint.queue.events_max);
               })};
    Key bytes{
        "max_bytes", "Their payload; 0: no limit.",
        SizeKind{0, tib, [](Target& t) -> decltype(auto) { return (t.endpoint.queue.bytes_max); }},
        false, "half of `queue.max_bytes`; with `storage: disk` or `nats` 0"};
    Key overflow{
        "overflow",
        "What happens to an event beyond that: the oldest that is not in flight is dropped for it "
        "(`drop_oldest`) or given up for it (`dead_letter`), it is dropped itself "
        "(`drop_newest`), or ingest answers 503 until there is room (`reject`, in memory only). "
        "With `storage: disk` the default is `dead_letter`.",
        choice<Overflow>({"drop_oldest", "drop_newest", "reject", "dead_letter"},
                         [](Target& t) -> decltype(auto) { return (t.endpoint.queue.overflow); })};
    return {"queue", "What may wait for this endpoint; not there with `storage: nats`.",
            MappingKind{{std::move(events), std::move(bytes), std::move(overflow)}, {}}};
}

QueueBounds default_queue_bounds(const Config& config) {
    QueueBounds bounds;
    if (config.storage.is_durable()) {
        bounds.overflow = Overflow::dead_letter;
    } else if (!config.storage.is_shared()) {
        bounds.bytes_max = config.queue_bytes_max / 2;
    }
    return bounds;
}

void check_queue(const Value& value, const EndpointConfig& endpoint, const Config& config) {
    const YamlEntry* const overflow = find_overflow(value.node());
    if (overflow == nullptr || config.storage.is_shared()) return;
    const Value policy = value.entry(*value.node().find("queue")).entry(*overflow);
    const Overflow chosen = endpoint.queue.overflow;
    if (chosen == Overflow::dead_letter && config.dead_letters.dir.empty()) {
        policy.refuse(
            "dead letters are not kept, so that it would be lost; expected dead_letters.dir, or "
            "another policy");
    }
    if (chosen == Overflow::reject && config.storage.is_durable()) {
        policy.refuse("not there with storage: disk; expected another policy");
    }
}

}  // namespace fanfare
