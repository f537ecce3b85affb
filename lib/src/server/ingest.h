#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event/id_generator.h"
#include "fanfare/budget.h"
#include "fanfare/log.h"
#include "server/bearer_token.h"
#include "server/dedup.h"
#include "server/http_server.h"
#include "server/parse_request.h"

namespace fanfare {

/// What ingest works with; all of it must outlive the Ingest.
struct IngestContext {
    Broadcaster& broadcaster;
    Budget& budget;
    Clock& clock;
    Log& log;
};

/// The ingest listener's answers: takes the events of a POST, all or none, gives them to the
/// Broadcaster and says so (SPEC 4). Waits for no endpoint. Any thread.
class Ingest final : public RequestHandler {
  public:
    /// An Error if there is a bearer token file and it is of no use. The listener's own options
    /// are not looked at.
    static Result<std::unique_ptr<Ingest>> make(const IngestOptions& options,
                                                const IngestContext& context);

    std::string_view allowed_methods() const noexcept override;

    /// 404, 405, 401, 415, and 400 for an id that is no text: all that a head can be refused for.
    std::optional<Response> refuse(const RequestHead& head, const Peer& peer) override;

    Reply respond(Request request) override;

  private:
    Ingest(const IngestOptions& options, const IngestContext& context,
           std::unique_ptr<BearerToken> token);

    Response take(const RequestHead& head, std::string& body);
    Response write_once(ParsedRequest& request);
    Response write(const ParsedRequest& request, std::size_t duplicates);
    Response queue_full();

    const std::string path_;
    const std::size_t events_max_;
    Broadcaster& broadcaster_;
    Budget& budget_;
    Clock& clock_;
    Log& log_;
    const std::unique_ptr<BearerToken> token_;  // null: none is asked for
    const std::unique_ptr<Dedup> dedup_;        // null: nothing is remembered
    IdGenerator ids_;
    // Whether the last request was refused for want of room: one log line at either change.
    std::atomic<bool> is_full_{false};
};

}  // namespace fanfare
