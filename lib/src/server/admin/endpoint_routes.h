#pragma once

#include "event/id_generator.h"
#include "server/admin/admin.h"

namespace fanfare {

/// `/v1/endpoints/{name}/…`: pause, resume, purge, test, attempts.
class EndpointRoutes {
  public:
    static constexpr std::int64_t attempts_limit = 100;  ///< as many as are kept

    /// Both must outlive it.
    EndpointRoutes(AdminSources& sources, const ConfigView& view)
        : sources_(sources), view_(view), ids_(sources.shards.front()->clock()) {}

    void add_to(AdminRoutes& routes);

  private:
    using Handler = awaitable<Response> (EndpointRoutes::*)(AdminCall call,
                                                            std::shared_ptr<Endpoint> endpoint);

    std::function<awaitable<Response>(AdminCall)> serving(Handler handler);
    awaitable<Response> find(Handler handler, AdminCall call);
    Response not_there(const std::string& name) const;
    awaitable<Response> pause(AdminCall call, std::shared_ptr<Endpoint> endpoint);
    awaitable<Response> resume(AdminCall call, std::shared_ptr<Endpoint> endpoint);
    awaitable<Response> purge(AdminCall call, std::shared_ptr<Endpoint> endpoint);
    awaitable<Response> test(AdminCall call, std::shared_ptr<Endpoint> endpoint);
    awaitable<Response> attempts(AdminCall call, std::shared_ptr<Endpoint> endpoint);
    bool is_cut_off() const;
    EventPtr make_ping();

    AdminSources& sources_;
    const ConfigView& view_;
    IdGenerator ids_;
};

}  // namespace fanfare
