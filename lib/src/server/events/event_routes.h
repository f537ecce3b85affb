#pragma once

#include <memory>

#include "server/admin/composer.h"
#include "server/admin/config_view.h"
#include "server/admin/route.h"
#include "server/events/event_json.h"
#include "server/events/live_stream.h"
#include "server/events/record_filter.h"
#include "server/events/stream_hub.h"

namespace fanfare {

/// `/v1/events`, `/v1/events/{seq}`, `/v1/events/stats`, `/v1/events/stream`, `/v1/streams`
/// (SPEC 16). The hub's loop.
class EventRoutes {
  public:
    static constexpr std::uint64_t list_count = 1000;  ///< unless it is asked for otherwise
    /// Payloads of one answer; what comes behind is the next answer's.
    static constexpr std::size_t list_bytes_max = std::size_t{8} << 20;
    static constexpr std::uint64_t wait_seconds_max = 30;
    static constexpr std::size_t name_bytes_max = 128;
    /// Records that are looked at in one piece.
    static constexpr std::size_t slice_records = 1024;
    /// How often a long poll looks, at most.
    static constexpr Duration pace = std::chrono::milliseconds(20);
    /// How often it is looked whether the client of one is still there.
    static constexpr Duration look_pause = std::chrono::milliseconds(500);

    /// All must outlive it.
    EventRoutes(StreamHub& hub, Broadcaster& broadcaster, const ConfigView& view,
                Composer& composer)
        : hub_(hub), broadcaster_(broadcaster), view_(view), composer_(composer) {}

    void add_to(AdminRoutes& routes);

  private:
    using Handler = awaitable<Response> (EventRoutes::*)(AdminCall call);
    /// What a request for a list asks for.
    struct Wanted {
        std::optional<std::uint64_t> start;
        std::optional<std::uint64_t> tail;
        std::uint64_t count = list_count;
        Duration wait{};
        bool is_clamped = false;
        RecordFilter filter;
    };
    /// What it gets.
    struct Found {
        EventList list;
        bool is_waiting_worth = false;  ///< nothing is there yet, and may come
    };
    /// Where a stream begins, or why it may not.
    struct Place {
        LiveStream::Start start;
        std::optional<Response> refusal;
    };

    std::function<awaitable<Response>(AdminCall)> serving(Handler handler);
    bool is_disabled() const { return hub_.history().options().capacity == 0; }
    Result<Wanted> wanted_of(const Query& query) const;
    Found look_up(const Wanted& wanted, std::optional<std::uint64_t> start) const;
    Found look_up_last(const Wanted& wanted) const;
    void scan(const Wanted& wanted, std::uint64_t first, EventList& list) const;
    awaitable<Response> list(AdminCall call);
    awaitable<Response> show(AdminCall call);
    awaitable<Response> show_stats(AdminCall call);
    awaitable<Response> stream(AdminCall call);
    awaitable<Response> list_streams(AdminCall call);
    awaitable<Response> kick(AdminCall call);
    Response open_stream(const AdminCall& call);
    Place place_of(const AdminCall& call, const RecordFilter& filter) const;
    HistorySlice last_that_fit(std::uint64_t count, const RecordFilter& filter,
                               std::size_t bytes_max) const;

    StreamHub& hub_;
    Broadcaster& broadcaster_;
    const ConfigView& view_;
    Composer& composer_;
};

}  // namespace fanfare
