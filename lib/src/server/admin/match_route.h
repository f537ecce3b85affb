#pragma once

#include "event/id_generator.h"
#include "server/admin/admin.h"

namespace fanfare {

/// `POST /v1/match`: which endpoints would take the posted events, and why others would not. The
/// body is one that ingest would take; nothing is queued.
class MatchRoute {
  public:
    static constexpr std::size_t events_max = 100;

    /// All must outlive it.
    MatchRoute(const AdminSources& sources, const ConfigView& view, Composer& composer)
        : sources_(sources),
          view_(view),
          composer_(composer),
          ids_(sources.shards.front()->clock()) {}

    void add_to(AdminRoutes& routes);

  private:
    awaitable<Response> match(AdminCall call);

    const AdminSources& sources_;
    const ConfigView& view_;
    Composer& composer_;
    IdGenerator ids_;
};

/// Why the endpoint would not take `event`, one sentence per reason; empty if it would, unless the
/// receiver is gone.
std::vector<std::string> reasons_against(const EndpointInfo& endpoint, const Event& event);

}  // namespace fanfare
