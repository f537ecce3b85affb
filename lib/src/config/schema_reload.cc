#include "config/schema.h"

namespace fanfare {

Key reload_key() {
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    Key watch{
        "watch",
        "Reads the file again when it changes; without it, on SIGHUP and POST /-/reload only.",
        BooleanKind{[](Target& t) -> decltype(auto) { return (t.config.reload.watch); }}};
    Key debounce{"debounce",
                 "From the first sign of a change until the file is read: time to write it whole.",
                 DurationKind{milliseconds(10), minutes(1), [](Target& t) -> decltype(auto) {
                                  return (t.config.reload.debounce);
                              }}};
    Key poll{"poll_interval",
             "How often the file's content is compared, for file systems that give no signs of a "
             "change; 0s: never.",
             DurationKind{Duration::zero(), minutes(60), [](Target& t) -> decltype(auto) {
                              return (t.config.reload.poll_interval);
                          }}};
    return {"reload", "How this configuration is taken over while the daemon runs.",
            MappingKind{{std::move(watch), std::move(debounce), std::move(poll)}, {}}};
}

}  // namespace fanfare
