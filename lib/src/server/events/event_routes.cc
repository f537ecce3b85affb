#include "server/events/event_routes.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "event/json_view.h"
#include "server/events/cursor.h"
#include "server/events/event_json.h"

namespace fanfare {
namespace {

constexpr std::string_view ndjson_type = "application/x-ndjson; charset=utf-8";
constexpr std::string_view sse_type = "text/event-stream; charset=utf-8";

/// So no seq and no cursor can be judged.
Response history_not_read() {
    Response response = error_response(503, "HISTORY_NOT_READ",
                                       "the shared log has not been read yet, try again shortly");
    response.headers.emplace_back("Retry-After", "1");
    return response;
}

Response history_disabled() {
    return error_response(404, "HISTORY_DISABLED", "history.capacity is 0: no event is kept");
}

Response streams_disabled() {
    return error_response(404, "STREAMS_DISABLED", "streams.max_total is 0");
}

Response refused(StreamRefusal refusal) {
    if (refusal == StreamRefusal::disabled) return streams_disabled();
    const bool is_total = refusal == StreamRefusal::total;
    Response response = is_total ? error_response(503, "TOO_MANY_STREAMS",
                                                  "as many streams are open, or requests wait, as "
                                                  "streams.max_total and admin connections allow")
                                 : error_response(429, "TOO_MANY_STREAMS_FOR_CLIENT",
                                                  "this client has as many streams open as "
                                                  "streams.max_per_client allows");
    response.headers.emplace_back("Retry-After", "5");
    return response;
}

/// The address without its port.
std::string client_of(const Peer& peer) {
    if (peer.is_unix) return "local";
    return peer.text.substr(0, peer.text.rfind(':'));
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// What `format` says, else the Accept field. An Error begins with the parameter's name.
Result<StreamFormat> format_of(const AdminCall& call) {
    const std::optional<std::string> format = call.query.text("format");
    if (format == "ndjson") return StreamFormat::ndjson;
    if (format == "sse") return StreamFormat::sse;
    if (format) return Error("format: expected ndjson or sse");
    std::string accept(call.head.find("accept").value_or(""));
    std::transform(accept.begin(), accept.end(), accept.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool is_sse = accept.find("text/event-stream") != std::string::npos;
    return is_sse ? StreamFormat::sse : StreamFormat::ndjson;
}

}  // namespace

void EventRoutes::add_to(AdminRoutes& routes) {
    const auto add = [&](std::string_view method, std::string_view path,
                         std::vector<std::string_view> parameters, Handler handler) {
        routes.add(AdminRoute{.method = method,
                              .path = path,
                              .parameters = std::move(parameters),
                              .serve = serving(handler)});
    };
    add("GET", "/v1/events", {"start", "count", "tail", "action", "source", "target", "wait"},
        &EventRoutes::list);
    add("GET", "/v1/events/stream",
        {"count", "since", "name", "action", "source", "target", "format"}, &EventRoutes::stream);
    add("GET", "/v1/events/stats", {}, &EventRoutes::show_stats);
    add("GET", "/v1/events/{}", {}, &EventRoutes::show);
    add("GET", "/v1/streams", {}, &EventRoutes::list_streams);
    add("DELETE", "/v1/streams/{}", {}, &EventRoutes::kick);
}

std::function<awaitable<Response>(AdminCall)> EventRoutes::serving(Handler handler) {
    return [this, handler](AdminCall call) { return (this->*handler)(std::move(call)); };
}

Result<EventRoutes::Wanted> EventRoutes::wanted_of(const Query& query) const {
    Wanted wanted;
    Result<RecordFilter> filter = RecordFilter::parse(query, view_.get()->action_groups);
    if (!filter) return filter.error();
    wanted.filter = std::move(*filter);
    for (const auto& [name, value] :
         {std::pair("start", &wanted.start), std::pair("tail", &wanted.tail)}) {
        const auto number = query.number(name);
        if (!number) return number.error();
        *value = *number;
    }
    if (wanted.start && wanted.tail) return Error("tail: cannot stand beside start");
    const auto count = query.number("count");
    if (!count) return count.error();
    if (*count == 0) return Error("count: 0 is not valid");
    const std::uint64_t most = hub_.history().options().response_max;
    const std::uint64_t asked = count->value_or(std::min(list_count, most));
    wanted.is_clamped = asked > most || wanted.tail.value_or(0) > most;
    wanted.count = std::min(asked, most);
    if (wanted.tail) wanted.tail = std::min(*wanted.tail, most);
    const auto wait = query.number("wait");
    if (!wait || wait->value_or(0) > wait_seconds_max) {
        return Error("wait: expected seconds from 0 to " + std::to_string(wait_seconds_max));
    }
    wanted.wait = std::chrono::seconds(wait->value_or(0));
    return wanted;
}

/// From `start` on, or the last ones if that is what is wanted.
EventRoutes::Found EventRoutes::look_up(const Wanted& wanted,
                                        std::optional<std::uint64_t> start) const {
    if (wanted.tail) return look_up_last(wanted);
    const HistoryCounts counts = hub_.history().counts();
    const HistoryRange range = counts.range;
    const std::uint64_t first = start.value_or(range.lowest);
    Found found;
    EventList& list = found.list;
    list.range = range;
    list.is_clamped = wanted.is_clamped;
    list.evicted = counts.evicted();
    list.next_start = range.next;
    if (first < range.lowest) {
        list.status = EventList::Status::evicted;
        list.missed = range.lowest - first;
        list.next_start = range.lowest;
    } else if (first > range.next) {
        list.status = EventList::Status::future;
    } else {
        if (first == range.next) list.status = EventList::Status::up_to_date;
        scan(wanted, first, list);
        found.is_waiting_worth = list.records.empty();
    }
    return found;
}

/// In parts, as whoever adds waits meanwhile. What comes while it looks is the next answer's.
void EventRoutes::scan(const Wanted& wanted, std::uint64_t first, EventList& list) const {
    std::size_t bytes = 0;
    std::uint64_t next = first;
    while (next < list.range.next) {
        const HistorySlice slice = hub_.history().read(next, slice_records, list_bytes_max);
        if (slice.records.empty()) break;
        if (slice.range.lowest > next) {  // it was evicted meanwhile
            list.next_start = next;
            return;
        }
        for (const HistoryRecord& record : slice.records) {
            if (record.seq >= list.range.next) return;
            const bool is_enough = list.records.size() >= wanted.count || bytes > list_bytes_max;
            if (is_enough) {
                list.is_clamped = list.is_clamped || bytes > list_bytes_max;
                list.next_start = record.seq;
                return;
            }
            next = record.seq + 1;
            if (!wanted.filter.wants(record)) continue;
            bytes += record.event->payload().size();
            list.records.push_back(record);
        }
    }
    list.next_start = std::min(next, list.range.next);
    if (list.next_start == first) list.next_start = list.range.next;
}

EventRoutes::Found EventRoutes::look_up_last(const Wanted& wanted) const {
    HistorySlice slice = last_that_fit(*wanted.tail, wanted.filter, list_bytes_max);
    Found found;
    EventList& list = found.list;
    list.range = slice.range;
    list.is_clamped = wanted.is_clamped || slice.is_cut;
    list.evicted = slice.evicted;
    list.next_start = slice.range.next;
    list.records = std::move(slice.records);
    if (list.range.lowest == list.range.next) list.status = EventList::Status::up_to_date;
    return found;
}

HistorySlice EventRoutes::last_that_fit(std::uint64_t count, const RecordFilter& filter,
                                        std::size_t bytes_max) const {
    if (filter.wants_all()) return hub_.history().tail(count, bytes_max);
    constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    HistorySlice slice = hub_.history().tail(no_limit, no_limit);
    std::vector<HistoryRecord>& all = slice.records;
    std::size_t kept = all.size();
    std::size_t bytes = 0;
    for (std::size_t i = all.size(); i > 0 && all.size() - kept < count; --i) {
        if (!filter.wants(all[i - 1])) continue;
        bytes += all[i - 1].event->payload().size();
        slice.is_cut = bytes > bytes_max && kept < all.size();
        if (slice.is_cut) break;
        std::swap(all[i - 1], all[--kept]);
    }
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept));
    return slice;
}

awaitable<Response> EventRoutes::list(AdminCall call) {
    if (is_disabled()) co_return history_disabled();
    if (!hub_.has_begun()) co_return history_not_read();
    const Result<Wanted> wanted = wanted_of(call.query);
    if (!wanted) co_return bad_parameter(wanted.error().message());
    Clock& clock = hub_.shard().clock();
    const TimePoint deadline = clock.now() + wanted->wait;
    std::optional<std::uint64_t> start = wanted->start;
    Wakeup wakeup(hub_.shard().executor());
    StreamHub::Reader reader(hub_, wakeup);
    std::optional<StreamHub::Waiter> waiter;
    for (;;) {
        Found found;
        // Of the loop's, which may change it while another thread composes.
        const std::string instance = hub_.instance();
        std::function<std::string()> make = [&] {
            found = look_up(*wanted, start);
            return event_list_json(instance, found.list);
        };
        std::string text = co_await composer_.compose(std::move(make));
        if (instance != hub_.instance()) continue;
        const bool is_over = clock.now() >= deadline || hub_.is_stopping();
        if (is_over || !found.is_waiting_worth) co_return json_response(std::move(text));
        if (!waiter && !hub_.has_place()) co_return refused(StreamRefusal::total);
        if (!waiter) waiter.emplace(hub_);
        start = found.list.next_start;
        // What comes meanwhile is looked at together.
        const TimePoint paced = std::min(deadline, clock.now() + pace);
        co_await wait_until(clock, paced);
        reader.ask(*start);
        while (clock.now() < deadline && !reader.has_been_told() && !hub_.is_stopping()) {
            const TimePoint look = std::min(deadline, clock.now() + look_pause);
            co_await wait_until(clock, look, wakeup);
            if (call.is_awaited && !call.is_awaited()) co_return json_response(std::move(text));
        }
        if (is_disabled()) co_return history_disabled();
    }
}

awaitable<Response> EventRoutes::show(AdminCall call) {
    if (is_disabled()) co_return history_disabled();
    if (!hub_.has_begun()) co_return history_not_read();
    const std::optional<std::uint64_t> seq = natural_number(call.name);
    const HistorySlice slice = hub_.history().read(seq.value_or(0), 1, 1);
    const bool is_there = seq && !slice.records.empty() && slice.records.front().seq == *seq;
    if (!is_there) {
        const std::string detail = R"({"lowest":)" + std::to_string(slice.range.lowest) +
                                   R"(,"next":)" + std::to_string(slice.range.next) + '}';
        co_return error_response(404, "EVENT_UNKNOWN", "the history holds no event of this number",
                                 detail);
    }
    const std::vector<EndpointFate> fates = co_await broadcaster_.fates(*seq);
    co_return json_response(event_json(slice.records.front(), fates));
}

awaitable<Response> EventRoutes::show_stats(AdminCall) {
    if (is_disabled()) co_return history_disabled();
    co_return json_response(event_stats_json(hub_.instance(), hub_.history().stats()));
}

awaitable<Response> EventRoutes::stream(AdminCall call) { co_return open_stream(call); }

/// All that can be wrong comes before a place is taken.
Response EventRoutes::open_stream(const AdminCall& call) {
    if (is_disabled()) return history_disabled();
    if (!hub_.has_begun()) return history_not_read();
    if (hub_.options().total_max == 0) {
        hub_.note_refused(StreamRefusal::disabled);
        return streams_disabled();
    }
    const Result<StreamFormat> format = format_of(call);
    if (!format) return bad_parameter(format.error().message());
    Result<RecordFilter> filter = RecordFilter::parse(call.query, view_.get()->action_groups);
    if (!filter) return bad_parameter(filter.error().message());
    const std::string name = call.query.text("name").value_or("");
    if (name.size() > name_bytes_max || !is_printable(name)) {
        return bad_parameter("name: expected at most 128 printable characters");
    }
    Place place = place_of(call, *filter);
    if (place.refusal) return std::move(*place.refusal);

    Response response;
    response.content_type = *format == StreamFormat::sse ? sse_type : ndjson_type;
    response.headers.emplace_back("X-Accel-Buffering", "no");
    const std::string& origin = hub_.options().cors_origin;
    if (!origin.empty()) response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    // Never called: who asks by HEAD gets no stream, and takes no place.
    response.stream = [](ResponseStream&) -> awaitable<void> { co_return; };
    if (call.head.method == "HEAD") return response;

    StreamState state;
    state.client = client_of(call.peer);
    const std::optional<StreamRefusal> refusal = hub_.refusal(state.client);
    if (refusal) {
        hub_.note_refused(*refusal);
        return refused(*refusal);
    }
    state.name = name;
    state.peer = call.peer.text;
    state.format = *format;
    state.filter = filter->text();
    state.created = hub_.shard().clock().wall();
    state.live_from = hub_.history().range().next;
    auto live = std::make_shared<LiveStream>(hub_, hub_.open(std::move(state)), std::move(*filter),
                                             place.start);
    response.stream = [live = std::move(live)](ResponseStream& out) {
        return LiveStream::run(live, out);
    };
    return response;
}

/// Where a stream begins: `Last-Event-ID`, else `since`, else `count`.
EventRoutes::Place EventRoutes::place_of(const AdminCall& call, const RecordFilter& filter) const {
    Place place;
    const auto count = call.query.number("count");
    if (!count) {
        place.refusal = bad_parameter(count.error().message());
        return place;
    }
    std::optional<Cursor> cursor;
    // A browser sends back what it was given; anything else there is not its user's fault.
    const auto last = call.head.find("last-event-id");
    if (last) cursor = Cursor::parse(*last);
    if (cursor && cursor->instance.empty()) cursor.reset();
    const std::optional<std::string> since = call.query.text("since");
    if (!last && since) {
        cursor = Cursor::parse(*since);
        if (!cursor) {
            place.refusal =
                error_response(400, "INVALID_CURSOR", "since: expected <instance>:<seq>, or a seq",
                               R"({"parameter":"since"})");
            return place;
        }
    }
    const HistoryRange range = hub_.history().range();
    place.start.next = range.next;
    if (!cursor) {
        if (last || count->value_or(0) == 0) return place;
        const HistorySlice slice =
            last_that_fit(**count, filter, std::numeric_limits<std::size_t>::max());
        if (!slice.records.empty()) place.start.next = slice.records.front().seq;
        return place;
    }
    if (!cursor->instance.empty() && cursor->instance != hub_.instance()) {
        place.start.next = range.lowest;
        place.start.is_after_restart = true;
    } else if (cursor->seq >= range.next) {
        place.refusal = error_response(
            400, "CURSOR_IN_FUTURE",
            "no event has this number yet; the next one is " + std::to_string(range.next));
    } else {
        place.start.next = cursor->seq + 1;
    }
    return place;
}

awaitable<Response> EventRoutes::list_streams(AdminCall) {
    co_return json_response(stream_list_json(hub_));
}

awaitable<Response> EventRoutes::kick(AdminCall call) {
    std::string_view id = call.name;
    std::optional<std::uint64_t> number;
    if (id.starts_with("s-")) number = natural_number(id.substr(2));
    if (!number || !hub_.kick(*number)) {
        co_return error_response(404, "STREAM_UNKNOWN", "there is no stream of this id");
    }
    Response response;
    response.status = 204;
    co_return response;
}

}  // namespace fanfare
