#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "event/id_generator.h"
#include "event/json_view.h"
#include "fanfare/event.h"
#include "http/http_parser.h"

namespace fanfare {

/// Why a request is not taken; what error_response() needs.
struct Refusal {
    int status = 400;
    std::string_view code = "BODY_INVALID";  ///< a constant
    std::string message;                     ///< says where, as far as there is a place
    std::string detail;                      ///< JSON text, or empty
};

/// One event of a request; the fields are complete, the id is given.
struct ParsedEvent {
    std::string_view payload;
    EventFields fields;
    bool is_id_generated = false;  ///< neither the event nor the request had one
};

/// The events of a request in their order. Views into the request's head and body, and into
/// `texts`.
struct ParsedRequest {
    std::vector<ParsedEvent> events;
    MediaType type = MediaType::json;
    std::size_t payload_bytes = 0;  ///< of all events together
    KeptTexts texts;
    /// So much of each payload is the same when the event is sent again.
    std::size_t identity_bytes = std::string_view::npos;
};

struct ParseOptions {
    std::size_t events_max = 10000;
    IdGenerator& ids;
};

/// What the head alone tells against a request: a media type that is not known (415), an id that
/// is not UTF-8 (400).
std::optional<Refusal> refuse_head(const RequestHead& head);

/// From a request to its events (SPEC 1 "event id", SPEC 4). `body` is given more capacity if it
/// has no room for padding; it and `head` must live as long as the result is looked at. A head
/// that refuse_head() refuses is refused here too.
std::variant<ParsedRequest, Refusal> parse_request(const RequestHead& head, std::string& body,
                                                   const ParseOptions& options);

}  // namespace fanfare
