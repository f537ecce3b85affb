#include "config/schema.h"

namespace fanfare {

Key meta_key() {
    Key enabled{"enabled", "Without it no such events are made.",
                BooleanKind{[](Target& t) -> decltype(auto) { return (t.config.meta.enabled); }}};
    Key down_after{
        "down_after",
        "An endpoint is down after so many failures and errors in a row: `endpoint.down`, and "
        "`fanfare_endpoint_up` is 0.",
        integer<unsigned>(1, 100'000,
                          [](Target& t) -> decltype(auto) { return (t.config.meta.down_after); })};
    return {"meta",
            "Events of Fanfare's own: an endpoint is down, or up again, has given an event up, or "
            "the configuration was reloaded or rejected. Endpoints get them whose `match` names "
            "`@meta`, one of its actions, or the source `meta`.",
            MappingKind{{std::move(enabled), std::move(down_after)}, {}}};
}

}  // namespace fanfare
