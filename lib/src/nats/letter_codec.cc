#include "nats/letter_codec.h"

#include <charconv>
#include <memory>

#include "fleet/name_token.h"
#include "nats/entry_codec.h"

namespace fanfare {
namespace {

constexpr const char* seq_header = "Fanfare-Seq";
constexpr const char* reason_header = "Fanfare-Reason";
constexpr const char* attempts_header = "Fanfare-Attempts";
constexpr const char* status_header = "Fanfare-Last-Status";
constexpr const char* error_header = "Fanfare-Last-Error";
constexpr const char* given_up_header = "Fanfare-Given-Up";

/// 0 if it is none.
template <class T>
T number_of(std::string_view text) {
    T number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : T{0};
}

/// Of events without a seq, each giving up is one of its own.
std::string dedup_key(const DeadLetter& letter) {
    const std::uint64_t seq = letter.event->seq();
    const std::string number =
        seq == 0 ? "t" + std::to_string(microseconds_since_epoch(letter.given_up_at))
                 : std::to_string(seq);
    return "dead:" + name_token(letter.endpoint) + ":" + number + ":" +
           std::string(letter.event->id());
}

}  // namespace

NatsHeaders headers_of(const DeadLetter& letter) {
    LogEntry entry;
    entry.event = std::const_pointer_cast<Event>(letter.event);  // nobody changes it
    entry.accepted_at = letter.accepted_at;
    entry.endpoint = letter.endpoint;
    entry.dedup_key = dedup_key(letter);
    NatsHeaders headers = headers_of(entry);
    headers.emplace_back(seq_header, std::to_string(letter.event->seq()));
    headers.emplace_back(reason_header, to_string(letter.reason));
    headers.emplace_back(attempts_header, std::to_string(letter.attempts));
    if (letter.last_status != 0) {
        headers.emplace_back(status_header, std::to_string(letter.last_status));
    }
    if (letter.last_error != Reason::none) {
        headers.emplace_back(error_header, to_string(letter.last_error));
    }
    headers.emplace_back(given_up_header,
                         std::to_string(microseconds_since_epoch(letter.given_up_at)));
    return headers;
}

StoredLetter letter_of(const JsStored& stored, bool with_payload) {
    const LogEntry entry = entry_of(stored.headers, stored.payload);
    StoredLetter letter;
    letter.id = static_cast<std::int64_t>(stored.seq);
    letter.endpoint = entry.endpoint;
    if (entry.endpoint.empty()) {
        letter.endpoint = name_of_token(stored.subject.substr(stored.subject.rfind('.') + 1));
    }
    if (entry.event) {
        letter.event_id = entry.event->id();
        letter.action = entry.event->action();
        letter.media_type = entry.event->type();
        letter.target_media_type = entry.event->target_media_type();
        letter.traceparent = entry.event->traceparent();
        letter.tracestate = entry.event->tracestate();
    }
    letter.seq = number_of<std::uint64_t>(stored.header(seq_header));
    letter.reason = stored.header(reason_header);
    letter.last_status = number_of<int>(stored.header(status_header));
    letter.last_error = stored.header(error_header);
    letter.attempts = number_of<unsigned>(stored.header(attempts_header));
    letter.accepted_at = entry.accepted_at;
    const auto given_up = number_of<std::int64_t>(stored.header(given_up_header));
    letter.given_up_at = WallTime(std::chrono::microseconds(given_up));
    letter.payload_bytes = stored.payload.size();
    if (with_payload) letter.payload = stored.payload;
    return letter;
}

std::uint64_t bytes_of(const DeadLetter& letter) noexcept {
    constexpr std::uint64_t overhead_bytes = 512;
    const Event& event = *letter.event;
    return overhead_bytes + 2 * letter.endpoint.size() + event.payload().size() +
           2 * event.id().size() + event.action().size() + event.target_media_type().size() +
           event.traceparent().size() + event.tracestate().size();
}

}  // namespace fanfare
