#pragma once

#include "config/reloader.h"
#include "server/http_server.h"

namespace fanfare {

/// `POST /-/reload`: waits for its turn, half a minute at most. Reloader and clock must outlive the
/// coroutine.
awaitable<Response> reload_now(Reloader& reloader, Clock& clock);

/// The answer that tells of it (lib/doc/admin.md).
Response reload_response(const ReloadOutcome& outcome);

}  // namespace fanfare
