#include "server/admin/dead_letter_routes.h"

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "server/admin/json_text.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

/// A replay that asks for no limit gets this one.
constexpr std::int64_t replay_limit_max = 1'000'000'000;

Json describe(const StoredLetter& letter) {
    Json entry;
    entry["id"] = letter.id;
    entry["endpoint"] = letter.endpoint;
    entry["event_id"] = letter.event_id;
    entry["seq"] = letter.seq;
    entry["action"] = letter.action;
    entry["media_type"] = media_type_text(letter.media_type);
    if (!letter.traceparent.empty()) entry["traceparent"] = letter.traceparent;
    entry["reason"] = letter.reason;
    entry["last_status"] = letter.last_status == 0 ? Json() : Json(letter.last_status);
    entry["last_error"] = letter.last_error.empty() ? Json() : Json(letter.last_error);
    entry["attempts"] = letter.attempts;
    entry["accepted_at"] = rfc3339(letter.accepted_at);
    entry["given_up_at"] = rfc3339(letter.given_up_at);
    entry["payload_bytes"] = letter.payload_bytes;
    return entry;
}

std::string list_body(const std::vector<StoredLetter>& letters, bool has_more) {
    Json result;
    result["dead_letters"] = Json::array();
    for (const StoredLetter& letter : letters) result["dead_letters"].push_back(describe(letter));
    result["next"] = has_more ? Json(std::to_string(letters.back().id)) : Json();
    return json_line(result);
}

/// The payload stands in it as it was received, and last.
std::string letter_body(const StoredLetter& letter) {
    std::string body = json_text(describe(letter));
    body.pop_back();
    return body + ",\"payload\":" + letter.payload + "}\n";
}

std::string count_body(const char* name, std::uint64_t count) {
    Json result;
    result[name] = count;
    return json_line(result);
}

std::string known_reasons() {
    std::string text;
    for (std::size_t i = 0; i < dead_reasons; ++i) {
        if (i > 0) text += ", ";
        text += to_string(static_cast<DeadReason>(i));
    }
    return text;
}

bool is_reason(std::string_view text) {
    for (std::size_t i = 0; i < dead_reasons; ++i) {
        if (to_string(static_cast<DeadReason>(i)) == text) return true;
    }
    return false;
}

/// A number that is all of `text`; nothing if it is none.
std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, value);
    const bool is_number = error == std::errc() && last == end && value >= 0;
    return is_number ? std::optional(value) : std::nullopt;
}

Response not_there() { return error_response(404, "NAME_UNKNOWN", "there is no such dead letter"); }

Response failed(const Error& error) {
    return error_response(500, "STORAGE_FAILED", error.message());
}

/// What was queued before is queued, and is delivered as far as there is time for it.
Response shutting_down(std::uint64_t replayed) {
    Json detail;
    detail["replayed"] = replayed;
    return error_response(503, "SHUTTING_DOWN", "the daemon is about to end; the rest stays",
                          json_text(detail));
}

/// While it lives, every other replay is refused.
class Turn {
  public:
    explicit Turn(std::atomic<bool>& is_taken) : is_taken_(is_taken) {}
    ~Turn() { is_taken_ = false; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    std::atomic<bool>& is_taken_;
};

}  // namespace

void DeadLetterRoutes::add_to(AdminRoutes& routes) {
    const auto add = [&](std::string_view method, std::string_view path,
                         std::vector<std::string_view> parameters, Handler handler) {
        AdminRoute route{.method = method, .path = path, .serve = serving(handler)};
        route.parameters = std::move(parameters);
        routes.add(std::move(route));
    };
    // The first route that fits is taken, so what a path says outright comes before `{}`.
    add("POST", "/v1/dead-letters/replay", {"id", "endpoint", "reason", "since", "limit", "next"},
        &DeadLetterRoutes::replay);
    add("GET", "/v1/dead-letters", {"id", "endpoint", "reason", "since", "limit", "next"},
        &DeadLetterRoutes::list);
    add("DELETE", "/v1/dead-letters", {"id", "endpoint", "reason", "since"},
        &DeadLetterRoutes::purge);
    add("GET", "/v1/dead-letters/{}", {}, &DeadLetterRoutes::show);
    add("DELETE", "/v1/dead-letters/{}", {}, &DeadLetterRoutes::purge_one);
}

std::function<awaitable<Response>(AdminCall)> DeadLetterRoutes::serving(Handler handler) {
    return [this, handler](AdminCall call) { return unless_disabled(handler, std::move(call)); };
}

awaitable<Response> DeadLetterRoutes::unless_disabled(Handler handler, AdminCall call) {
    if (sources_.dead_letters == nullptr) {
        co_return error_response(
            404, "DEAD_LETTERS_DISABLED",
            "dead letters are not kept, as dead_letters.dir is not configured");
    }
    Response response = co_await (this->*handler)(std::move(call));
    co_return response;
}

Result<LetterFilter> DeadLetterRoutes::filter_of(const Query& query) const {
    LetterFilter filter;
    filter.endpoint = query.text("endpoint");
    filter.reason = query.text("reason");
    if (filter.reason && !is_reason(*filter.reason)) {
        return Error("reason: expected one of " + known_reasons());
    }
    const auto id = query.integer("id", 1, no_limit);
    if (id.has_error()) return id.error();
    filter.id = *id;
    const auto since = query.time("since", sources_.shards.front()->clock().wall());
    if (since.has_error()) return since.error();
    filter.since = *since;
    return filter;
}

/// `next` is the id of the last letter that was looked at, and for a replay the last one to be
/// looked at, too: `17-4711`.
Result<LetterRange> DeadLetterRoutes::range_of(const Query& query, std::int64_t limit_max) const {
    LetterRange range;
    Result<LetterFilter> filter = filter_of(query);
    if (filter.has_error()) return filter.error();
    range.filter = std::move(*filter);
    const auto limit = query.integer("limit", 1, limit_max);
    if (limit.has_error()) return limit.error();
    if (*limit) range.letters_max = static_cast<std::size_t>(**limit);
    const std::optional<std::string> next = query.text("next");
    if (!next) return range;
    const std::size_t dash = next->find('-');
    const auto after = number(std::string_view(*next).substr(0, dash));
    const auto until = dash == std::string::npos ? std::optional(no_limit)
                                                 : number(std::string_view(*next).substr(dash + 1));
    if (!after || !until) return Error("next: expected what an earlier answer had there");
    range.after = *after;
    range.until = *until;
    return range;
}

/// An answer if the `endpoint` that is asked for is neither configured nor that of any letter: a
/// slip, which would else look as if all were done.
awaitable<std::optional<Response>> DeadLetterRoutes::refuse_unknown(Query query) {
    std::optional<Response> refusal;
    std::optional<std::string> endpoint = query.text("endpoint");
    // Further pages come after its last letter, too.
    if (query.text("next")) co_return refusal;
    if (!endpoint || find_info(view_.get()->endpoints, *endpoint) != nullptr) co_return refusal;
    LetterRange range;
    range.filter.endpoint = std::move(endpoint);
    range.letters_max = 1;
    const Result<std::vector<StoredLetter>> letters =
        co_await sources_.dead_letters->read(std::move(range));
    if (letters.has_error()) {
        refusal = failed(letters.error());
    } else if (letters->empty()) {
        refusal = error_response(404, "NAME_UNKNOWN",
                                 "there is no endpoint of this name, and no dead letter of one");
    }
    co_return refusal;
}

awaitable<Response> DeadLetterRoutes::list(AdminCall call) {
    Result<LetterRange> range = range_of(call.query, list_limit_max);
    if (range.has_error()) co_return bad_parameter(range.error().message());
    std::optional<Response> refusal = co_await refuse_unknown(call.query);
    if (refusal) co_return std::move(*refusal);
    const std::size_t limit = range->letters_max++;
    Result<std::vector<StoredLetter>> letters =
        co_await sources_.dead_letters->read(std::move(*range));
    if (letters.has_error()) co_return failed(letters.error());
    const bool has_more = letters->size() > limit;
    if (has_more) letters->pop_back();
    std::function<std::string()> make = [&] { return list_body(*letters, has_more); };
    std::string body = co_await composer_.compose(std::move(make));
    co_return json_response(std::move(body));
}

awaitable<Response> DeadLetterRoutes::show(AdminCall call) {
    LetterRange range;
    range.filter.id = number(call.name);
    if (!range.filter.id) co_return not_there();
    range.with_payload = true;
    const Result<std::vector<StoredLetter>> letters =
        co_await sources_.dead_letters->read(std::move(range));
    if (letters.has_error()) co_return failed(letters.error());
    if (letters->empty()) co_return not_there();
    co_return json_response(letter_body(letters->front()));
}

awaitable<Response> DeadLetterRoutes::purge(AdminCall call) {
    Result<LetterFilter> filter = filter_of(call.query);
    if (filter.has_error()) co_return bad_parameter(filter.error().message());
    std::optional<Response> refusal = co_await refuse_unknown(call.query);
    if (refusal) co_return std::move(*refusal);
    const Result<std::uint64_t> purged = co_await sources_.dead_letters->purge(std::move(*filter));
    if (purged.has_error()) co_return failed(purged.error());
    tell("dead letters purged", *purged);
    co_return json_response(count_body("purged", *purged));
}

awaitable<Response> DeadLetterRoutes::purge_one(AdminCall call) {
    LetterFilter filter;
    filter.id = number(call.name);
    if (!filter.id) co_return not_there();
    const Result<std::uint64_t> purged = co_await sources_.dead_letters->purge(std::move(filter));
    if (purged.has_error()) co_return failed(purged.error());
    if (*purged == 0) co_return not_there();
    tell("dead letters purged", *purged);
    co_return json_response(count_body("purged", *purged));
}

awaitable<Response> DeadLetterRoutes::replay(AdminCall call) {
    Result<LetterRange> range = range_of(call.query, replay_limit_max);
    if (range.has_error()) co_return bad_parameter(range.error().message());
    if (!call.query.text("limit")) range->letters_max = replay_limit_max;
    std::optional<Response> refusal = co_await refuse_unknown(call.query);
    if (refusal) co_return std::move(*refusal);
    if (is_replaying_.exchange(true)) {
        co_return error_response(409, "REPLAY_RUNNING", "another replay is under way");
    }
    const Turn turn(is_replaying_);
    Response response = co_await run_replay(std::move(*range));
    co_return response;
}

awaitable<Response> DeadLetterRoutes::run_replay(LetterRange range) {
    DeadLetters& store = *sources_.dead_letters;
    const Result<std::int64_t> last_id = co_await store.last_id();
    if (last_id.has_error()) co_return failed(last_id.error());
    // What dies again meanwhile is not replayed again, else this might never end.
    range.until = std::min(range.until, *last_id);
    const bool is_single = range.filter.id.has_value();
    const std::int64_t until = range.until;
    Replay::Requeue queue = [this](const std::string& endpoint, Replay::Events events) {
        return requeue(endpoint, std::move(events));
    };
    Replay replay(store, sources_.budget, std::move(queue));
    const Result<ReplayResult> result = co_await replay.run(std::move(range));
    if (result.has_error()) co_return failed(result.error());
    tell("dead letters replayed", result->replayed);
    if (result->is_shut_down) co_return shutting_down(result->replayed);
    const std::uint64_t seen = result->replayed + result->not_replayed;
    if (is_single && seen == 0 && !result->is_out_of_room) co_return not_there();
    Json body;
    body["replayed"] = result->replayed;
    body["not_replayed"] = result->not_replayed;
    body["stopped"] = result->is_out_of_room ? Json("budget") : Json();
    const bool is_at_end = result->is_at_end || result->last_id >= until;
    std::string next = std::to_string(result->last_id) + '-' + std::to_string(until);
    body["next"] = is_at_end ? Json() : Json(std::move(next));
    co_return json_response(json_line(body));
}

void DeadLetterRoutes::tell(std::string_view what, std::uint64_t letters) const {
    if (letters == 0) return;
    sources_.shards.front()->log().write(LogLevel::info, "admin", what, {{"events", letters}});
}

Requeued DeadLetterRoutes::requeue(const std::string& endpoint, Replay::Events events) {
    const std::shared_ptr<Endpoint> found = sources_.broadcaster.find(endpoint);
    if (found) {
        const bool is_queued = sources_.broadcaster.replay(found, std::move(events));
        return is_queued ? Requeued::done : Requeued::shut_down;
    }
    // While the daemon drains, endpoints end that were there.
    return readiness_ == Readiness::draining ? Requeued::shut_down : Requeued::no_endpoint;
}

}  // namespace fanfare
