#pragma once

#include <atomic>

#include "server/admin/admin.h"
#include "server/admin/replay.h"

namespace fanfare {

/// `/v1/dead-letters`: what was given up is listed, shown, replayed and deleted. Without a store,
/// all of it answers 404 DEAD_LETTERS_DISABLED.
class DeadLetterRoutes {
  public:
    static constexpr std::int64_t list_limit = 100;  ///< unless it is asked for otherwise
    static constexpr std::int64_t list_limit_max = 1000;

    /// All must outlive it.
    DeadLetterRoutes(AdminSources& sources, const ConfigView& view, Composer& composer,
                     const std::atomic<Readiness>& readiness)
        : sources_(sources), view_(view), composer_(composer), readiness_(readiness) {}

    void add_to(AdminRoutes& routes);

  private:
    using Handler = awaitable<Response> (DeadLetterRoutes::*)(AdminCall call);

    std::function<awaitable<Response>(AdminCall)> serving(Handler handler);
    Result<LetterFilter> filter_of(const Query& query) const;
    Result<LetterRange> range_of(const Query& query, std::int64_t limit_max) const;
    awaitable<Response> unless_disabled(Handler handler, AdminCall call);
    awaitable<std::optional<Response>> refuse_unknown(Query query);
    awaitable<Response> list(AdminCall call);
    awaitable<Response> show(AdminCall call);
    awaitable<Response> purge(AdminCall call);
    awaitable<Response> purge_one(AdminCall call);
    awaitable<Response> replay(AdminCall call);
    awaitable<Response> run_replay(LetterRange range);
    void tell(std::string_view what, std::uint64_t letters) const;
    Requeued requeue(const std::string& endpoint, Replay::Events events);

    AdminSources& sources_;
    const ConfigView& view_;
    Composer& composer_;
    const std::atomic<Readiness>& readiness_;
    /// A letter that two replays read at the same time would be queued twice.
    std::atomic<bool> is_replaying_{false};
};

}  // namespace fanfare
