#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "nats/nats_log.h"
#include "support/nats_server.h"

namespace fanfare::test {

/// What a place has delivered.
class Received {
  public:
    SharedConsumer::OnDeliveries taker() {
        return [this](std::vector<Delivery> deliveries) {
            const std::lock_guard lock(mutex_);
            for (Delivery& delivery : deliveries) all_.push_back(std::move(delivery));
            changed_.notify_all();
        };
    }

    /// The delivery at `index`, once it is there.
    Delivery at(std::size_t index, std::chrono::milliseconds limit = std::chrono::seconds(30)) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [&] { return all_.size() > index; })) {
            ADD_FAILURE() << "no delivery " << index << ", " << all_.size() << " are there";
            return {};
        }
        return all_[index];
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return all_.size();
    }

    std::vector<Delivery> all() const {
        const std::lock_guard lock(mutex_);
        return all_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Delivery> all_;
};

inline LogEntry entry(const std::string& id, const std::string& payload = "{\"a\": 1}") {
    LogEntry made;
    EventFields fields;
    fields.id = id;
    fields.action = "push";
    made.event = Event::make(payload, fields, MediaType::registry_v2);
    made.accepted_at = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
    return made;
}

inline std::string id_of(const Delivery& delivery) {
    return delivery.entry.event ? std::string(delivery.entry.event->id()) : std::string();
}

/// Waits for how an append ends.
inline std::pair<Published, std::vector<std::uint64_t>> append(NatsLog& log,
                                                               std::vector<LogEntry> entries) {
    auto done = std::make_shared<std::promise<std::pair<Published, std::vector<std::uint64_t>>>>();
    auto future = done->get_future();
    const bool is_taken = log.append(std::move(entries), [done](Published how, auto seqs) {
        done->set_value({how, std::move(seqs)});
    });
    if (!is_taken) return {Published::unavailable, {}};
    return future.get();
}

inline std::pair<Published, std::vector<std::uint64_t>> append(NatsLog& log, LogEntry entry) {
    std::vector<LogEntry> entries;
    entries.push_back(std::move(entry));
    return append(log, std::move(entries));
}

/// Appends until it is stored: places or the stream may not be there yet.
inline std::uint64_t stored(NatsLog& log, const LogEntry& entry) {
    std::uint64_t seq = 0;
    EXPECT_TRUE(soon([&] {
        const auto [how, seqs] = append(log, entry);
        if (how == Published::stored) seq = seqs.at(0);
        return how == Published::stored;
    }));
    return seq;
}

/// A process' connection and log.
struct NatsProcess {
    NatsProcess(const std::string& url, const NatsLogOptions& options)
        : connection(clock, log, connection_options(url)), events(connection, options) {
        connection.start();
    }

    static NatsConnectionOptions connection_options(const std::string& url) {
        NatsConnectionOptions options;
        options.servers = {url};
        options.connect_timeout = std::chrono::seconds(1);
        options.reconnect_wait = std::chrono::milliseconds(20);
        return options;
    }

    std::unique_ptr<SharedConsumer> place(const std::string& endpoint, Received& received,
                                          unsigned in_flight_max = 1) {
        return place(ConsumerOptions{.endpoint = endpoint, .in_flight_max = in_flight_max},
                     received);
    }

    std::unique_ptr<SharedConsumer> place(const ConsumerOptions& options, Received& received) {
        auto made = events.consumer(options);
        made->start(received.taker());
        return made;
    }

    SteadyClock clock;
    Log log{LogOptions{.level = LogLevel::error, .format = LogFormat::text}};
    NatsConnection connection;
    NatsLog events;
};

/// Options with times that suit a test.
inline NatsLogOptions quick_log() {
    NatsLogOptions options;
    options.ack_wait = std::chrono::seconds(1);
    options.working_interval = std::chrono::milliseconds(300);
    options.ack_timeout = std::chrono::seconds(2);
    options.look_interval = std::chrono::milliseconds(50);
    options.purge_interval = std::chrono::milliseconds(100);
    options.pull_heartbeat = std::chrono::milliseconds(300);
    options.pull_expiry = std::chrono::seconds(2);
    options.bytes_max = 0;
    return options;
}

/// Tests with a server of their own.
class WithNatsServer : public testing::Test {
  protected:
    void SetUp() override {
        if (NatsServer::program().empty()) {
            GTEST_SKIP() << "nats-server is not installed (Debian's package nats-server)";
        }
        if (starts_at_once_) server_.start();
    }

    bool starts_at_once_ = true;
    NatsServer server_;
};

}  // namespace fanfare::test
