#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fanfare/error.h"
#include "http/url.h"

namespace fanfare {

/// What differs from one request to the next.
struct HeadFacts {
    std::string_view content_type;  ///< sent if not empty
    std::size_t content_length = 0;
    std::string_view webhook_id;
    std::int64_t timestamp_seconds = 0;  ///< since 1970
    unsigned attempt = 1;
    std::string_view traceparent;  ///< sent if not empty
    std::string_view tracestate;   ///< sent if not empty
    std::string_view more_lines;   ///< of the format, each with its line end
    std::string_view credentials;  ///< whole lines, sent as they are
};

/// The head of all requests to one endpoint (SPEC 6): what never changes is put together once, a
/// request appends the rest.
class HeadTemplate {
  public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    /// `configured` headers replace defaults of the same name. Refuses those that frame the
    /// message (Host, Content-Length, Transfer-Encoding, Connection), names that are no tokens and
    /// values with control characters; the message never holds a value.
    static Result<HeadTemplate> make(const Url& url, const Headers& configured);

    /// Replaces `head`, whose memory is used again.
    void render(const HeadFacts& facts, std::string& head) const;

  private:
    HeadTemplate() = default;

    enum Default : std::size_t {
        content_type,
        webhook_id,
        webhook_timestamp,
        attempt,
        traceparent,
        tracestate,
        defaults
    };
    static constexpr std::array<std::string_view, defaults> default_names = {
        "Content-Type",    "webhook-id",  "webhook-timestamp",
        "fanfare-attempt", "traceparent", "tracestate"};

    void append(std::string& head, Default field, std::string_view value) const;

    std::string opening_;  // request line, Host, User-Agent, Authorization
    std::string closing_;  // configured headers and the blank line
    std::array<bool, defaults> is_replaced_{};
};

}  // namespace fanfare
