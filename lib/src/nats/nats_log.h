#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/shared_log.h"
#include "nats/jetstream.h"

namespace fanfare {

/// Where events with this key go; the same in every process.
unsigned partition_of(std::string_view key) noexcept;

struct NatsLogOptions {
    std::string stream = "fanfare";  ///< letters, digits, `-` and `_`
    unsigned replicas = 1;
    std::uint64_t bytes_max = std::uint64_t{10} << 30;  ///< 0: no bound; so is that of age
    Duration age_max{};
    Duration duplicate_window = std::chrono::minutes(2);
    Duration ack_timeout = std::chrono::seconds(5);  ///< of a publish
    std::size_t waiting_max = 65'536;                ///< publishes without an answer
    /// Places that are about to be started: before they are there, nothing is taken.
    unsigned first_places = 0;
    std::uint64_t history_records = 10'000;  ///< that stay when all endpoints are done with them
    /// Of a delivery: after so long without a word it is given to somebody else.
    Duration ack_wait = std::chrono::seconds(10);
    Duration working_interval = std::chrono::seconds(3);
    Duration pull_expiry = std::chrono::seconds(30);
    Duration pull_heartbeat = std::chrono::milliseconds(1500);
    Duration look_interval = std::chrono::seconds(2);
    Duration believed_after = std::chrono::seconds(10);  ///< OrderedReader's
    Duration purge_interval = std::chrono::seconds(10);  ///< and a quarter of it at random
    /// The partition of an event, below log_partitions; null: 0. Any thread.
    std::function<unsigned(const Event&)> partition = nullptr;
};

/// A shared log in a JetStream stream. Makes the stream if need be, and purges what everybody is
/// done with. An event of this process' is not taken before the places that were started first are
/// there, as they would never get it.
class NatsLog final : public SharedLog {
  public:
    /// `connection` must outlive the log.
    NatsLog(NatsConnection& connection, NatsLogOptions options);
    /// Nothing is called any more once this has returned. Its consumers must have gone before.
    ~NatsLog() override;

    bool append(std::vector<LogEntry> entries, OnPublished on_published) override;
    std::unique_ptr<SharedConsumer> consumer(ConsumerOptions options) override;
    void follow(std::size_t records,
                std::function<void(const std::string& id, std::uint64_t next)> on_start,
                OnEntry on_entry) override;
    SharedLogFigures figures() const override;

    /// Other bounds from now on: of the stream, its replicas, the timeout, the history and the
    /// partition; its name stays.
    void change(NatsLogOptions options);

    /// Takes the endpoint's place away, for all processes. Tells whether that was done.
    void forget(const std::string& endpoint, std::function<void(bool)> on_done) override;

    /// The endpoints that have a place, also those that no process has any more; nothing if that
    /// cannot be told now.
    void places(std::function<void(std::optional<std::vector<std::string>>)> on_told) override;

  private:
    class Impl;
    const std::shared_ptr<Impl> impl_;
};

}  // namespace fanfare
