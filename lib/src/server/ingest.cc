#include "server/ingest.h"

#include <boost/container/small_vector.hpp>
#include <utility>
#include <variant>

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

Response unavailable(std::string_view code, std::string_view message) {
    Response response = error_response(503, code, message);
    response.headers.emplace_back("Retry-After", retry_after_seconds);
    return response;
}

Response accepted(std::size_t events, const std::optional<Broadcaster::Written>& written) {
    Response response;
    response.status = 202;
    response.body.reserve(96);
    response.body += "{\"accepted\":" + std::to_string(events);
    if (written) {
        response.body += ",\"first_seq\":" + std::to_string(written->first_seq);
        response.body += ",\"last_seq\":" + std::to_string(written->last_seq);
    }
    response.body += '}';
    return response;
}

}  // namespace

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
      log_(context.log),
      token_(std::move(token)),
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

Reply Ingest::respond(Request request) { return take(request.head, request.body); }

Response Ingest::take(const RequestHead& head, std::string& body) {
    const ParseOptions options{events_max_, ids_};
    const std::variant<ParsedRequest, Refusal> parsed = parse_request(head, body, options);
    if (const Refusal* const refusal = std::get_if<Refusal>(&parsed)) {
        log_.debug("ingest", "request refused",
                   {{"status", refusal->status}, {"error", refusal->message}});
        return response_to(*refusal);
    }
    return write(std::get<ParsedRequest>(parsed));
}

Response Ingest::write(const ParsedRequest& request) {
    if (request.events.empty()) return accepted(0, std::nullopt);
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
    const auto written = broadcaster_.write({events.data(), events.size()});
    if (!written) return unavailable("SHUTTING_DOWN", "this daemon is shutting down");
    return accepted(events.size(), written);
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
