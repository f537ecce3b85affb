#include "config/schema.h"

#include "base/units.h"

namespace fanfare {
Key history_key() {
    Key capacity{"capacity", "Events; 0: none are kept, and there are no streams.",
                 integer<std::size_t>(0, 10'000'000, [](Target& t) -> decltype(auto) {
                     return (t.config.history.capacity);
                 })};
    Key max_bytes{"max_bytes", "Their payload; beyond it the oldest ones go.",
                  SizeKind{64 * kib, 64 * kib * mib, [](Target& t) -> decltype(auto) {
                               return (t.config.history.bytes_max);
                           }}};
    Key max_event_bytes{
        "max_event_bytes", "Of a larger event the history holds only size, id and action.",
        SizeKind{kib, 64 * mib,
                 [](Target& t) -> decltype(auto) { return (t.config.history.event_bytes_max); }}};
    Key max_response{"max_response", "Events of one answer.",
                     integer<std::size_t>(1, 10'000'000, [](Target& t) -> decltype(auto) {
                         return (t.config.history.response_max);
                     })};
    return {"history",
            "The newest events, in memory, for `/v1/events`, live streams and the status page.",
            MappingKind{{std::move(capacity), std::move(max_bytes), std::move(max_event_bytes),
                         std::move(max_response)},
                        {}}};
}

}  // namespace fanfare
