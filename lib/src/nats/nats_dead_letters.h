#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nats/connection.h"
#include "store/letters.h"

namespace fanfare {

/// Keeps dead letters in a stream beside that of the events, shared by all processes: the id of a
/// letter is its seq there. While no server can be reached, letters wait in memory, and nothing can
/// be read. Any thread; nothing blocks but the destructor, shortly. The connection must outlive it.
///
/// begin_replay() knows of this process only. When two of them replay the same letter, both append
/// its event to the log with the same key, which names the letter, and so it is there once.
class NatsDeadLetters final : public DeadLetters {
  public:
    struct Options {
        std::string stream = "fanfare";  ///< that of the events; this one's name ends in `_dead`
        unsigned replicas = 1;
        std::uint64_t bytes_max = std::uint64_t{256} * 1024 * 1024;
        /// Of letters handed over that the stream has not taken yet. More than may be kept never
        /// waits: the oldest go.
        std::uint64_t waiting_bytes_max = std::uint64_t{256} * 1024 * 1024;
        Duration look_interval = std::chrono::seconds(5);  ///< at how much is kept
    };

    NatsDeadLetters(NatsConnection& connection, Options options);
    /// What waits is forgotten: whoever has given it up is not told that it is kept.
    ~NatsDeadLetters() override;

    /// Makes the stream as soon as a server can be reached, again and again; once.
    void start();

    void put(DeadLetter letter) noexcept override;
    void discard(std::span<const std::int64_t> letters) noexcept override;
    void keep(std::span<const std::int64_t> letters) noexcept override;

    bool begin_replay(std::int64_t letter) override;
    /// `kept` is of all processes, as of the last look; what the stream has evicted is not told.
    DeadLetterCounts counts() const noexcept override;
    awaitable<Result<std::vector<StoredLetter>>> read(LetterRange range) override;
    awaitable<Result<std::int64_t>> last_id() override;
    awaitable<Result<std::uint64_t>> purge(LetterFilter filter) override;
    awaitable<std::size_t> flush(Duration limit) override;

    class Impl;

  private:
    const std::shared_ptr<Impl> impl_;  // those who wait for an answer own it, too
};

}  // namespace fanfare
