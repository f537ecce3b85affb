#include "config/checks.h"
#include "config/schema.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<Key> limit_keys() {
    Key total{"max_total", "Open at the same time; 0: there are none.",
              integer<std::size_t>(0, 2'000, [](Target& t) -> decltype(auto) {
                  return (t.config.streams.total_max);
              })};
    Key per_client{"max_per_client",
                   "Of one peer address at the same time; unix sockets share one.",
                   integer<std::size_t>(1, 10'000, [](Target& t) -> decltype(auto) {
                       return (t.config.streams.per_client_max);
                   })};
    Key lag{"max_lag",
            "A reader that is more events behind than this for a second is sent away; never more "
            "than `history.capacity`.",
            integer<std::size_t>(1, 10'000'000, [](Target& t) -> decltype(auto) {
                return (t.config.streams.lag_max);
            })};
    return {std::move(total), std::move(per_client), std::move(lag)};
}

}  // namespace

Key streams_key() {
    std::vector<Key> keys = limit_keys();
    keys.push_back(
        {"heartbeat", "How often a stream without events shows that it lives; 0s: never.",
         DurationKind{Duration::zero(), hours(1),
                      [](Target& t) -> decltype(auto) { return (t.config.streams.heartbeat); }}});
    keys.push_back({"write_timeout", "A reader that takes nothing for so long is sent away.",
                    DurationKind{milliseconds(100), minutes(10), [](Target& t) -> decltype(auto) {
                                     return (t.config.streams.write_timeout);
                                 }}});
    keys.push_back({"max_age", "Of a stream; 0s: no limit.",
                    DurationKind{Duration::zero(), hours(24 * 30), [](Target& t) -> decltype(auto) {
                                     return (t.config.streams.age_max);
                                 }}});
    keys.push_back({"sse_retry_ms", "After how long a browser comes back, in milliseconds.",
                    integer<unsigned>(100, 600'000, [](Target& t) -> decltype(auto) {
                        return (t.config.streams.sse_retry_ms);
                    })});
    keys.push_back(
        {"cors_origin",
         "Of pages of others that may read streams; `*` for all.",
         TextKind{"an origin, e.g. https://ops.example.com, or *", check_origin,
                  [](Target& t) -> decltype(auto) { return (t.config.streams.cors_origin); }},
         false,
         {},
         "https://ops.example.com"});
    return {"streams", "Live streams of events, `/v1/events/stream`.",
            MappingKind{std::move(keys), {}}};
}

}  // namespace fanfare
