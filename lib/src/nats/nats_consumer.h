#pragma once

#include <functional>
#include <memory>
#include <string>

#include "fleet/shared_log.h"
#include "nats/jetstream.h"

namespace fanfare {

/// An endpoint's place in a log on JetStream: a durable consumer that messages are pulled from, or
/// one for each partition. Made by NatsLog.
class NatsConsumer final : public SharedConsumer {
  public:
    struct Options {
        ConsumerOptions endpoint;
        std::string stream;
        std::string all_subjects;  ///< `S.events.*`; a partition's has its number for the `*`
        Duration ack_wait;
        Duration working_interval;
        Duration pull_expiry;
        Duration pull_heartbeat;  ///< twice as long without one, and the pull counts as lost
        Duration look_interval;
        /// What tells the stream from another one of its name; empty: it is not known to be there.
        /// On the loop.
        std::function<std::string()> stream_id;
        /// What lies at this seq has come. On the loop.
        std::function<void(std::uint64_t seq)> on_seq;
        /// The place is not known to be there from start() on, and then is. Any thread.
        std::function<void()> on_missing;
        std::function<void()> on_there;
    };

    NatsConsumer(JetStream api, Options options);
    ~NatsConsumer() override;

    void start(OnDeliveries on_deliveries) override;
    void allow(std::size_t deliveries) override;
    void done(const std::string& token) override;
    void later(const std::string& token, Duration delay) override;
    void working(const std::string& token) override;
    Duration working_interval() const noexcept override;
    void purge(std::function<void(std::int64_t)> on_purged) override;
    void change(ConsumerOptions options) override;
    ConsumerFigures figures() const override;

  private:
    class Impl;
    class Place;
    const std::shared_ptr<Impl> impl_;
};

}  // namespace fanfare
