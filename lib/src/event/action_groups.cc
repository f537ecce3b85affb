#include "event/action_groups.h"

namespace fanfare {

ActionGroups built_in_action_groups() {
    return {
        {"write", {"push", "mount", "delete"}},
        {"read", {"pull"}},
        {"start", {"create", "start", "unpause"}},
        {"stop", {"kill", "stop", "die"}},
        {"meta",
         {"endpoint.down", "endpoint.up", "config.reloaded", "config.rejected", "delivery.failed"}},
    };
}

}  // namespace fanfare
