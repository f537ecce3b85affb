#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nats/jetstream.h"

namespace fanfare {

/// Takes out of a log's stream what all its consumers are done with and history does not want. One
/// round at a time; it is given up if anything cannot be told for sure. Lives on the loop.
///
/// What a consumer says of how much it has before it is an estimate (`num_pending`), so it is not
/// asked. It is done with all up to its ack floor. If the last message that it would get is not
/// above that, it is done with all that was in the stream before the consumers were looked at.
class Janitor : public std::enable_shared_from_this<Janitor> {
  public:
    Janitor(JetStream api, std::string stream) : api_(api), stream_(std::move(stream)) {}

    /// How much stays of what everybody is done with: the last `records`, but fewer once all
    /// together takes up more than half of `bytes_max` (0: no bound), so that history leaves room
    /// for what comes.
    struct Keep {
        std::uint64_t records = 0;
        std::uint64_t bytes_max = 0;
    };

    /// Purges. `on_done` is told whether the round came to its end.
    void run(const Keep& keep, std::function<void(bool)> on_done);

  private:
    void look_at_stream(const JsResult<JsStreamInfo>& info);
    void look_at_consumers(const JsResult<JsConsumers>& consumers);
    void look_at_next();
    void look_at_found(const std::string& filter, const JsResult<JsStored>& found);
    void purge();
    void finish(bool is_done);
    bool is_disturbed() const;

    JetStream api_;
    const std::string stream_;
    Keep keep_;
    std::function<void(bool)> on_done_;
    std::uint64_t connects_ =
        0;  ///< when the round began: an answer of another server may be older
    std::uint64_t first_seq_ = 0;
    std::uint64_t last_seq_ = 0;
    std::uint64_t goal_ = 0;  ///< all up to it is to go
    /// The least ack floor of those that have not come up to the goal, by what they get.
    std::map<std::string, std::uint64_t> floors_;
};

}  // namespace fanfare
