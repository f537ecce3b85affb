#include "base/units.h"
#include "config/checks.h"
#include "config/schema.h"

namespace fanfare {
Key dead_letters_key() {
    Key dir{"dir",
            "A folder of this daemon's own, made if need be. Without it, what is given up is kept "
            "under `queue.dir` if the queue is on disk, else counted and logged only. With "
            "`storage: nats` it is kept in a stream beside the events', and this is refused.",
            TextKind{"the path of a folder", check_dir,
                     [](Target& t) -> decltype(auto) { return (t.config.dead_letters.dir); }},
            false,
            {},
            "/var/lib/fanfare/dead-letters",
            true};
    Key max_bytes{"max_bytes", "Beyond it the oldest ones go.",
                  SizeKind{mib, tib, [](Target& t) -> decltype(auto) {
                               return (t.config.dead_letters.bytes_max);
                           }}};
    return {"dead_letters", "Events that were given up, to be looked at and replayed.",
            MappingKind{{std::move(dir), std::move(max_bytes)}, {}}};
}

}  // namespace fanfare
