#include "server/admin/attempt_json.h"

#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "server/admin/json_text.h"

namespace fanfare {

nlohmann::ordered_json attempt_json(const AttemptRecord& attempt) {
    using Json = nlohmann::ordered_json;
    Json entry;
    entry["at"] = rfc3339(attempt.began_at);
    entry["event_id"] = attempt.event_id;
    entry["seq"] = attempt.seq;
    entry["events"] = attempt.events;
    entry["attempt"] = attempt.number;
    entry["status"] = attempt.status == 0 ? Json() : Json(attempt.status);
    const bool has_error = attempt.status == 0 && attempt.error != Reason::none;
    entry["error"] = has_error ? Json(to_string(attempt.error)) : Json();
    entry["duration_seconds"] = to_seconds(attempt.took);
    return entry;
}

}  // namespace fanfare
