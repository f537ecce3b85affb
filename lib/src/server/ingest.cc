#include "server/ingest.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/container/small_vector.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "base/wakeup.h"

namespace fanfare {
namespace {

constexpr const char* methods = "POST";

/// How long a sender is asked to wait; room is made by deliveries, which take milliseconds.
constexpr const char* retry_after_seconds = "1";

Response response_to(const Refusal& refusal) {
    return error_response(refusal.status, refusal.code, refusal.message, refusal.detail);
}

Response method_not_allowed() {
    Response response = error_response(405, "METHOD_NOT_ALLOWED", "events are sent by POST");
    response.headers.emplace_back("Allow", methods);
    return response;
}

Response unavailable(std::string_view code, std::string_view message,
                     std::string_view detail = {}) {
    Response response = error_response(503, code, message, detail);
    response.headers.emplace_back("Retry-After", retry_after_seconds);
    return response;
}

Response shutting_down() { return unavailable("SHUTTING_DOWN", "this daemon is shutting down"); }

Response not_stored(std::string_view code, const std::string& why) {
    return unavailable(code,
                       why + ": the events may be stored or not, repeat them with the same ids");
}

/// Of events that were to be stored.
Response refusal(Broadcaster::Stored result) {
    switch (result) {
        case Broadcaster::Stored::closed:
            return shutting_down();
        case Broadcaster::Stored::full:
            return unavailable("STORE_FULL", "the queue has no room for the events at the moment");
        case Broadcaster::Stored::overloaded:
            return unavailable("QUEUE_FULL", "too much waits for the disk at the moment");
        case Broadcaster::Stored::unavailable:
            return not_stored("STORE_UNAVAILABLE", "the log of events does not answer");
        case Broadcaster::Stored::refused:
            return error_response(413, "BODY_TOO_LARGE",
                                  "an event is larger than the log of events takes");
        case Broadcaster::Stored::stored:
        case Broadcaster::Stored::failed:
            break;
    }
    return not_stored("STORE_FAILED", "the disk has failed");
}

struct Taken {
    std::size_t accepted = 0;
    std::size_t duplicates = 0;
    std::optional<Broadcaster::Written> written;
};

/// First and last, if they tell all.
std::string numbers(const Broadcaster::Written& written) {
    if (written.seqs.empty()) {
        return ",\"first_seq\":" + std::to_string(written.first_seq) +
               ",\"last_seq\":" + std::to_string(written.last_seq);
    }
    std::string text;
    for (const std::uint64_t seq : written.seqs) {
        text += (text.empty() ? ",\"seqs\":[" : ",") + std::to_string(seq);
    }
    return text + "]";
}

Response accepted(const Taken& taken) {
    Response response;
    response.status = 202;
    response.body.reserve(96);
    response.body += "{\"accepted\":" + std::to_string(taken.accepted);
    if (taken.written) response.body += numbers(*taken.written);
    if (taken.duplicates > 0) {
        response.body += ",\"duplicates\":" + std::to_string(taken.duplicates);
    }
    response.body += '}';
    return response;
}

Response id_conflict(std::size_t index) {
    const std::string text = std::to_string(index);
    return error_response(409, "ID_CONFLICT",
                          "the id of event " + text + " was accepted with another payload",
                          "{\"index\":" + text + "}");
}

/// The name of an endpoint needs no escaping.
Response no_room_at(const NoRoom& no_room) {
    const std::string& name = no_room.endpoint;
    const std::string detail = R"({"endpoint":")" + name + R"("})";
    if (no_room.is_for_ever) {
        return error_response(413, "BODY_TOO_LARGE",
                              "the events are more than may wait for endpoint " + name, detail);
    }
    return unavailable("QUEUE_FULL",
                       "no room for the events at endpoint " + name + " at the moment", detail);
}

}  // namespace

struct Ingest::Storing {
    explicit Storing(Executor sender) : executor(std::move(sender)), done(executor) {}

    const Executor executor;
    std::size_t accepted = 0;
    std::size_t duplicates = 0;
    std::vector<Dedup::Key> keys;  ///< of the events that were not there before
    std::optional<Broadcaster::Stored> result;
    Broadcaster::Written written{0, 0};
    Wakeup done;
};

Result<std::unique_ptr<Ingest>> Ingest::make(const IngestOptions& options,
                                             const IngestContext& context) {
    std::unique_ptr<BearerToken> token;
    if (!options.bearer_token_file.empty()) {
        auto loaded =
            BearerToken::load(options.bearer_token_file, "ingest", context.clock, context.log);
        if (!loaded) return loaded.error();
        token = std::move(*loaded);
    }
    return std::unique_ptr<Ingest>(new Ingest(options, context, std::move(token)));
}

Ingest::Ingest(const IngestOptions& options, const IngestContext& context,
               std::unique_ptr<BearerToken> token)
    : path_(options.path),
      events_max_(options.events_max),
      broadcaster_(context.broadcaster),
      budget_(context.budget),
      clock_(context.clock),
      log_(context.log),
      ack_timeout_(context.ack_timeout),
      token_(std::move(token)),
      dedup_(options.dedup.window > Duration::zero() ? std::make_unique<Dedup>(options.dedup)
                                                     : nullptr),
      ids_(context.clock) {}

std::string_view Ingest::allowed_methods() const noexcept { return methods; }

std::optional<Response> Ingest::refuse(const RequestHead& head, const Peer&) {
    if (head.path() != path_) {
        return error_response(404, "NAME_UNKNOWN", "there is nothing here; events go to " + path_);
    }
    if (head.method != "POST") return method_not_allowed();
    if (token_ && !token_->accepts(head)) {
        Response response = error_response(401, "UNAUTHORIZED", "a bearer token is required");
        response.headers.emplace_back("WWW-Authenticate", "Bearer");
        return response;
    }
    if (const std::optional<Refusal> refusal = refuse_head(head)) return response_to(*refusal);
    return std::nullopt;
}

Reply Ingest::respond(Request request) {
    if (ack_timeout_ > Duration::zero()) return store(std::move(request));
    return *take(request.head, request.body, nullptr);
}

Ingest::Answer Ingest::take(const RequestHead& head, std::string& body, const StoringPtr& storing) {
    const ParseOptions options{events_max_, ids_};
    std::variant<ParsedRequest, Refusal> parsed = parse_request(head, body, options);
    if (const Refusal* const refusal = std::get_if<Refusal>(&parsed)) {
        log_.debug("ingest", "request refused",
                   {{"status", refusal->status}, {"error", refusal->message}});
        return response_to(*refusal);
    }
    ParsedRequest& request = std::get<ParsedRequest>(parsed);
    return dedup_ ? write_once(request, storing) : write(request, 0, storing);
}

/// Takes out of the request what was accepted before.
Ingest::Answer Ingest::write_once(ParsedRequest& request, const StoringPtr& storing) {
    std::vector<std::optional<Dedup::Key>> keys;
    for (const ParsedEvent& event : request.events) {
        keys.emplace_back();
        if (event.is_id_generated) continue;
        const std::string_view identity = event.payload.substr(0, request.identity_bytes);
        keys.back() = Dedup::key_of(event.fields.id, identity);
    }
    // From here on other requests wait: whether an id is new and that it is taken are one thing.
    Dedup::Request seen(*dedup_, clock_.now());
    std::size_t fresh = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Dedup::Seen before = keys[i] ? seen.look(*keys[i]) : Dedup::Seen::no;
        if (before == Dedup::Seen::conflict) return id_conflict(i);
        if (before == Dedup::Seen::no) {
            if (storing && keys[i]) storing->keys.push_back(*keys[i]);
            request.events[fresh++] = request.events[i];
        } else {
            request.payload_bytes -= request.events[i].payload.size();
        }
    }
    request.events.resize(fresh);
    Answer answer = write(request, keys.size() - fresh, storing);
    if (!answer || answer->status == 202) seen.accept();
    return answer;
}

Ingest::Answer Ingest::write(const ParsedRequest& request, std::size_t duplicates,
                             const StoringPtr& storing) {
    const bool is_to_wait = storing && duplicates > 0;
    if (request.events.empty() && !is_to_wait) return accepted({0, duplicates, std::nullopt});
    if (request.payload_bytes > budget_.bytes_max()) {
        return error_response(413, "BODY_TOO_LARGE", "the events are larger than queue.max_bytes");
    }
    std::optional<Reservation> reservation = budget_.try_reserve(request.payload_bytes);
    if (!reservation) return queue_full();
    if (is_full_.load(std::memory_order_relaxed) && is_full_.exchange(false)) {
        log_.info("ingest", "events are taken again", {{"queue_bytes", budget_.bytes_used()}});
    }

    boost::container::small_vector<std::shared_ptr<Event>, 4> events;
    events.reserve(request.events.size());
    for (const ParsedEvent& event : request.events) {
        events.push_back(Event::make(event.payload, event.fields, request.type,
                                     reservation->split(event.payload.size())));
    }
    const std::span<const std::shared_ptr<Event>> all(events.data(), events.size());
    if (storing) {
        storing->duplicates = duplicates;
        return begin(storing, all);
    }
    std::optional<NoRoom> no_room;
    const auto written = broadcaster_.write(all, &no_room);
    if (no_room) return no_room_at(*no_room);
    if (!written) return shutting_down();
    return accepted({events.size(), duplicates, written});
}

/// An event that was there before may be on its way to the disk still: then its second sender
/// waits for that, too.
Ingest::Answer Ingest::begin(const StoringPtr& storing,
                             std::span<const std::shared_ptr<Event>> events) {
    storing->accepted = events.size();
    const auto on_stored = [this, storing](Broadcaster::Stored result,
                                           Broadcaster::Written written) {
        if (result != Broadcaster::Stored::stored && dedup_) dedup_->forget(storing->keys);
        net::post(storing->executor, [storing, result, written] {
            storing->result = result;
            storing->written = written;
            storing->done.notify();
        });
    };
    const std::optional<Broadcaster::Stored> refused =
        broadcaster_.store(events, on_stored, &storing->executor);
    if (!refused) return std::nullopt;
    return refusal(*refused);
}

awaitable<Response> Ingest::store(Request request) {
    const Executor executor = co_await net::this_coro::executor;
    const auto storing = std::make_shared<Storing>(executor);
    Answer refused = take(request.head, request.body, storing);
    if (refused) co_return std::move(*refused);
    co_await wait_until(clock_, clock_.now() + ack_timeout_, storing->done);
    if (!storing->result) co_return not_stored("STORE_TIMEOUT", "the disk takes too long");
    if (*storing->result != Broadcaster::Stored::stored) co_return refusal(*storing->result);
    Taken taken;
    taken.accepted = storing->accepted;
    taken.duplicates = storing->duplicates;
    if (taken.accepted > 0) taken.written = storing->written;
    co_return accepted(taken);
}

Response Ingest::queue_full() {
    if (!is_full_.exchange(true)) {
        const std::uint64_t used = budget_.bytes_used();
        const std::uint64_t bound = budget_.bytes_max();
        log_.warn("ingest", "no room for events, senders are asked to wait",
                  {{"queue_bytes", used}, {"queue_bytes_max", bound}});
    }
    return unavailable("QUEUE_FULL", "no room for the events at the moment");
}

}  // namespace fanfare
