#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <string>
#include <vector>

#include "nats/nats_dead_letters.h"
#include "support/nats_server.h"

namespace fanfare::test {

inline constexpr WallTime noon{std::chrono::seconds(1'700'000'000)};

inline DeadLetter letter(const std::string& id, const std::string& endpoint = "audit",
                         std::size_t payload_bytes = 0) {
    std::string payload = R"({"id":")" + id + R"("})";
    if (payload.size() < payload_bytes) payload.append(payload_bytes - payload.size(), ' ');
    EventFields fields;
    fields.id = id;
    fields.action = "push";
    DeadLetter result;
    result.endpoint = endpoint;
    result.event = Event::make(payload, fields, MediaType::json);
    result.reason = DeadReason::max_attempts;
    result.attempts = 3;
    result.accepted_at = noon;
    result.given_up_at = noon + std::chrono::seconds(1);
    return result;
}

/// The letters of one of several processes.
class LetterProcess {
  public:
    explicit LetterProcess(const std::string& url, NatsDeadLetters::Options options = {})
        : connection_(clock_, log_, connection_options(url)), letters(connection_, options) {
        connection_.start();
        letters.start();
    }

    /// All the letters that are meant, by their events' ids.
    std::vector<std::string> ids(LetterRange range = {}) {
        std::vector<std::string> ids;
        for (const StoredLetter& stored : read(std::move(range))) ids.push_back(stored.event_id);
        return ids;
    }

    std::vector<StoredLetter> read(LetterRange range = {}) {
        const Result<std::vector<StoredLetter>> result = wait(letters.read(std::move(range)));
        EXPECT_TRUE(result.has_value());
        return result.has_value() ? *result : std::vector<StoredLetter>();
    }

    /// How many were purged; -1 if that could not be done.
    std::int64_t purge(LetterFilter filter) {
        const Result<std::uint64_t> result = wait(letters.purge(std::move(filter)));
        return result.has_value() ? static_cast<std::int64_t>(*result) : -1;
    }

    int nearly_full_lines() const { return nearly_full_lines_; }

    bool has_stored(std::uint64_t count) {
        return soon([&] { return letters.counts().stored == count; });
    }

    void put_all(const std::vector<std::string>& ids, const std::string& endpoint = "audit") {
        const std::uint64_t before = letters.counts().stored;
        for (const std::string& id : ids) letters.put(letter(id, endpoint));
        EXPECT_TRUE(has_stored(before + ids.size()));
    }

    template <class T>
    T wait(awaitable<T> task) {
        auto future = net::co_spawn(loop_, std::move(task), net::use_future);
        loop_.restart();
        loop_.run();
        return future.get();
    }

  private:
    static NatsConnectionOptions connection_options(const std::string& url) {
        NatsConnectionOptions options;
        options.servers = {url};
        options.connect_timeout = std::chrono::seconds(1);
        options.reconnect_wait = std::chrono::milliseconds(20);
        return options;
    }

    net::io_context loop_;  // the connection's thread may still let go of it
    SteadyClock clock_;
    std::atomic<int> nearly_full_lines_ = 0;
    Log log_{LogOptions{.level = LogLevel::warning}, [this](std::string_view line) {
                 constexpr std::string_view told = "dead letters are nearly as many";
                 if (line.find(told) != std::string_view::npos) ++nearly_full_lines_;
             }};
    NatsConnection connection_;

  public:
    NatsDeadLetters letters;
};

}  // namespace fanfare::test
