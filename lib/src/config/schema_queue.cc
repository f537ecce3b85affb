#include "base/units.h"
#include "config/checks.h"
#include "config/nats_keys.h"
#include "config/schema.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Key storage_key() {
    return {
        "storage",
        "`memory`: a restart loses what waits. `disk`: an event is answered 202 once it is on "
        "stable storage, and kept there until every endpoint is done with it. `nats`: the same, "
        "but in a NATS JetStream stream that any number of processes share.",
        choice<QueueStorage>({"memory", "disk", "nats"}, [](Target& t) -> decltype(auto) {
            return (t.config.storage.storage);
        })};
}

/// Of the memory, or of the stream. `storage` must have been read.
std::size_t& bytes_max(Target& target) {
    StorageOptions& storage = target.config.storage;
    return storage.is_shared() ? storage.nats.bytes_max : target.config.queue_bytes_max;
}

Key max_bytes_key() {
    return {"max_bytes",
            "Payload held in memory, each counted once; 503 beyond. With `nats`: the size of the "
            "stream, which its servers must have room for; 503 beyond, and memory has the default "
            "of 256MiB.",
            SizeKind{kib, tib, bytes_max}, false, "256MiB; with `storage: nats` 10GiB"};
}

std::vector<Key> disk_keys() {
    Key dir{"dir", "With `disk`: a folder of this daemon's own, made if need be.",
            TextKind{"the absolute path of a folder", check_absolute_dir,
                     [](Target& t) -> decltype(auto) { return (t.config.storage.dir); }}};
    Key max_disk{"max_disk", "With `disk`: the size of the file; 503 beyond.",
                 SizeKind{64 * mib, 1024 * tib, [](Target& t) -> decltype(auto) {
                              return (t.config.storage.disk_bytes_max);
                          }}};
    Key ack_timeout{"ack_timeout",
                    "With `disk` and `nats`: how long a sender waits for its events to be stored; "
                    "then 503, and nobody "
                    "knows: it repeats them with the same ids.",
                    DurationKind{milliseconds(10), hours(1), [](Target& t) -> decltype(auto) {
                                     return (t.config.storage.ack_timeout);
                                 }}};
    Key recovery{"recovery",
                 "With `disk`, if the file is damaged as a whole: move it aside and begin anew, or "
                 "refuse to start.",
                 choice<Recovery>({"salvage", "strict"}, [](Target& t) -> decltype(auto) {
                     return (t.config.storage.recovery);
                 })};
    Key removed_grace{
        "removed_grace",
        "With `disk` and `nats`: how long the backlog of an endpoint is kept that is not in the "
        "configuration any more, or disabled; if it comes back, it goes on there.",
        DurationKind{Duration::zero(), hours(24 * 365),
                     [](Target& t) -> decltype(auto) { return (t.config.storage.removed_grace); }}};
    return {std::move(dir), std::move(max_disk), std::move(ack_timeout), std::move(recovery),
            std::move(removed_grace)};
}

}  // namespace

Key queue_key() {
    // What comes later depends on what comes earlier.
    std::vector<Key> keys = {storage_key(), max_bytes_key()};
    for (Key& key : disk_keys()) keys.push_back(std::move(key));
    for (Key& key : nats_keys()) keys.push_back(std::move(key));
    return {"queue", "What may wait for endpoints.", MappingKind{std::move(keys), {}}};
}

}  // namespace fanfare
