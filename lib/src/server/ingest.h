#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
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
    /// Not zero: the Broadcaster stores events, and a sender waits so long for that.
    Duration ack_timeout{};
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

    /// A request whose events are on their way to the disk.
    struct Storing;
    using StoringPtr = std::shared_ptr<Storing>;

    /// These answer, unless `storing` is given and has been begun.
    using Answer = std::optional<Response>;
    Answer take(const RequestHead& head, std::string& body, const StoringPtr& storing);
    Answer write_once(ParsedRequest& request, const StoringPtr& storing);
    Answer write(const ParsedRequest& request, std::size_t duplicates, const StoringPtr& storing);
    Answer begin(const StoringPtr& storing, std::span<const std::shared_ptr<Event>> events);
    awaitable<Response> store(Request request);
    Response queue_full();

    const std::string path_;
    const std::size_t events_max_;
    Broadcaster& broadcaster_;
    Budget& budget_;
    Clock& clock_;
    Log& log_;
    const Duration ack_timeout_;                // zero: nothing is stored
    const std::unique_ptr<BearerToken> token_;  // null: none is asked for
    const std::unique_ptr<Dedup> dedup_;        // null: nothing is remembered
    IdGenerator ids_;
    // Whether the last request was refused for want of room: one log line at either change.
    std::atomic<bool> is_full_{false};
};

}  // namespace fanfare
