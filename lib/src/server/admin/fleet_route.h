#pragma once

#include "fleet/shared_log.h"
#include "runtime/fleet.h"
#include "server/admin/route.h"

namespace fanfare {

/// A fleet and the log that its processes share, as seen from here; both null: this process is
/// alone with its queues.
struct FleetSource {
    Fleet* fleet = nullptr;
    SharedLog* log = nullptr;
    bool is_ready_when_disconnected = false;  ///< what `/readyz` says then
};

/// `GET /v1/fleet`: who works off the same queue, what is configured differently there, and how
/// the log that they share is.
class FleetRoute {
  public:
    /// `source` names both; they must outlive the route.
    explicit FleetRoute(FleetSource source) : source_(source) {}

    void add_to(AdminRoutes& routes);

  private:
    awaitable<Response> show(AdminCall call);

    const FleetSource source_;
};

}  // namespace fanfare
