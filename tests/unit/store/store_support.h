#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fanfare/budget.h"
#include "store/dead_letters.h"
#include "support/tmp_dir.h"

namespace fanfare::test {

using namespace std::chrono_literals;

inline constexpr WallTime noon{std::chrono::seconds(1'700'000'000)};

inline DeadLetter letter(const std::string& id, const std::string& endpoint = "audit",
                         std::size_t payload_bytes = 0) {
    std::string payload = R"({"id":")" + id + R"(","action":"push"})";
    if (payload.size() < payload_bytes) payload.append(payload_bytes - payload.size(), ' ');
    EventFields fields;
    fields.id = id;
    fields.action = "push";
    fields.traceparent = "00-1-2-03";
    DeadLetter result;
    result.endpoint = endpoint;
    result.event = Event::make(payload, fields, MediaType::registry_v1);
    result.reason = DeadReason::max_attempts;
    result.last_error = Reason::timeout;
    result.attempts = 7;
    result.accepted_at = noon;
    result.given_up_at = noon + 1500ms;
    return result;
}

class DeadLetters : public testing::Test {
  protected:
    void open(std::uint64_t bytes_max = 1024 * 1024, std::uint64_t waiting_bytes_max = 1 << 30) {
        store_.reset();
        auto opened = try_open(bytes_max, waiting_bytes_max);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        store_ = std::move(*opened);
    }

    Result<std::unique_ptr<DeadLetterStore>> try_open(std::uint64_t bytes_max = 1024 * 1024,
                                                      std::uint64_t waiting_bytes_max = 1 << 30) {
        DeadLetterStore::Options options;
        options.dir = dir();
        options.bytes_max = bytes_max;
        options.waiting_bytes_max = waiting_bytes_max;
        return DeadLetterStore::open(options, clock_, log_);
    }

    std::string dir() const { return directory_.path() / "letters"; }
    std::string file() const { return dir() + "/dead_letters.db"; }

    template <class T>
    T wait(awaitable<T> task) {
        net::io_context context(1);
        auto result = net::co_spawn(context, std::move(task), net::use_future);
        context.run();
        return result.get();
    }

    /// Until all that was put is written, or for so long; how many letters then still wait.
    std::size_t flush(Duration limit = 10s) { return wait(store_->flush(limit)); }

    std::vector<StoredLetter> read(LetterRange range = {}) {
        flush();
        auto letters = wait(store_->read(std::move(range)));
        EXPECT_TRUE(letters.has_value());
        return letters.has_value() ? *letters : std::vector<StoredLetter>();
    }

    std::vector<std::string> ids(LetterRange range = {}) {
        range.letters_max = 100000;
        std::vector<std::string> result;
        for (const StoredLetter& stored : read(std::move(range))) result.push_back(stored.event_id);
        return result;
    }

    bool has_logged(const std::string& part) {
        const std::lock_guard lock(mutex_);
        return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        });
    }

    std::uint64_t lost(LostReason reason) {
        return store_->counts().lost[static_cast<std::size_t>(reason)];
    }

    TmpDir directory_;
    SteadyClock clock_;
    std::mutex mutex_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) {
                 const std::lock_guard lock(mutex_);
                 lines_.emplace_back(line);
             }};
    std::unique_ptr<DeadLetterStore> store_;
};

using Strings = std::vector<std::string>;

}  // namespace fanfare::test
