#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "base/wakeup.h"
#include "nats/jetstream.h"
#include "nats/nats_dead_letters.h"

namespace fanfare {

/// All but the public functions lives on the connection's loop. Its callbacks and coroutines own
/// it, as they may come after NatsDeadLetters has gone.
class NatsDeadLetters::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(NatsConnection& connection, Options options);

    // Any thread.
    void start();
    void close();
    void put(DeadLetter letter) noexcept;
    void discard(std::span<const std::int64_t> letters) noexcept;
    void keep(std::span<const std::int64_t> letters) noexcept;
    bool begin_replay(std::int64_t letter);
    DeadLetterCounts counts() const noexcept;
    awaitable<std::size_t> flush(Duration limit);

    Executor executor() const { return connection_.executor(); }

    // On the loop; `self` keeps it.
    static awaitable<Result<std::vector<StoredLetter>>> read(std::shared_ptr<Impl> self,
                                                             LetterRange range);
    static awaitable<Result<std::int64_t>> last_id(std::shared_ptr<Impl> self);
    static awaitable<Result<std::uint64_t>> purge(std::shared_ptr<Impl> self, LetterFilter filter);

  private:
    struct Waiting {
        DeadLetter letter;
        std::uint64_t bytes = 0;
    };
    using WaitingPtr = std::shared_ptr<Waiting>;
    struct Flush;

    /// One answer, or several of which each is told by its place.
    template <class T>
    struct Answers {
        Answers(const Executor& executor, std::size_t count)
            : arrived(executor), results(count), left(count) {}

        static OnJs<T> to(const std::shared_ptr<Answers>& answers, std::size_t place) {
            return [answers, place](JsResult<T> result) {
                answers->results[place] = std::move(result);
                if (--answers->left == 0) answers->arrived.notify();
            };
        }

        Wakeup arrived;
        std::vector<std::optional<JsResult<T>>> results;
        std::size_t left;
    };

    /// What a look at a few places of the stream has found.
    struct Found {
        std::vector<JsStored> letters;  ///< in order
        bool is_end = false;            ///< there is nothing behind them
    };

    /// Neither waits for the other: letters come and go.
    static constexpr std::size_t in_flight_max = 64;
    static constexpr Duration publish_timeout = std::chrono::seconds(5);
    static constexpr Duration retry_interval = std::chrono::seconds(1);
    static constexpr Duration log_interval = std::chrono::seconds(10);
    static constexpr Duration problem_interval = std::chrono::minutes(1);
    static constexpr std::size_t width_max = 16;
    static constexpr Duration scan_limit = std::chrono::seconds(20);

    void begin();
    void state_changed(bool is_connected);
    void ensure_stream();
    void stream_is_there(const JsResult<JsStreamInfo>& result);
    void look();
    void note(const JsStreamInfo& info);
    void tell_fullness();
    void schedule() noexcept;
    void pump();
    WaitingPtr take_next();
    void send(const WaitingPtr& waiting);
    void sent(const WaitingPtr& waiting, const JsResult<JsPubAck>& result);
    void erase_next();
    void erased(std::int64_t letter, std::optional<bool> is_erased);
    void erase(std::uint64_t seq, std::function<void(std::optional<bool>)> on_erased);
    void try_later();
    void tell_trouble(const std::string& problem);
    void lose(LostReason reason, std::uint64_t letters) noexcept;
    void tell_lost();
    void end_flushes();
    static void let_go(const DeadLetter& letter);

    awaitable<Result<Found>> look_for(std::string subject, std::uint64_t from, std::size_t width);
    awaitable<Result<std::vector<StoredLetter>>> read_one(LetterRange range);
    awaitable<Result<std::vector<StoredLetter>>> scan(LetterRange range);
    awaitable<Result<std::uint64_t>> purge_one(std::int64_t letter);
    awaitable<Result<std::uint64_t>> purge_subject(std::string subject);
    awaitable<Result<std::uint64_t>> purge_each(LetterFilter filter);
    awaitable<Result<std::uint64_t>> erase_all(const std::vector<StoredLetter>& letters);

    std::string subject_of(const std::string& endpoint) const;
    std::string all_subjects() const;
    bool is_replaying(std::int64_t letter) const;
    bool is_any_replaying() const;
    std::size_t waiting_locked() const noexcept;

    NatsConnection& connection_;
    const Options options_;
    const std::string stream_;
    JetStream js_;

    mutable std::mutex mutex_;
    std::deque<WaitingPtr> waiting_;               // guarded by mutex_
    std::uint64_t waiting_bytes_ = 0;              // guarded by mutex_: with those in flight
    std::size_t in_flight_ = 0;                    // guarded by mutex_: letters under way
    std::deque<std::int64_t> discarded_;           // guarded by mutex_
    std::size_t erasing_ = 0;                      // guarded by mutex_
    std::unordered_set<std::int64_t> replaying_;   // guarded by mutex_
    std::vector<std::shared_ptr<Flush>> flushes_;  // guarded by mutex_
    bool is_scheduled_ = false;                    // guarded by mutex_

    // The loop's.
    bool is_closed_ = false;
    bool is_connected_ = false;
    bool is_ready_ = false;  ///< connected, and the stream is there
    bool is_making_ = false;
    std::uint64_t watch_ = 0;
    std::unique_ptr<Alarm> again_;
    std::unique_ptr<Alarm> look_again_;
    bool is_nearly_full_ = false;
    std::string last_problem_;
    TimePoint problem_told_at_{};
    std::array<std::uint64_t, lost_reasons> told_{};
    std::optional<TimePoint> told_at_;

    std::atomic<std::uint64_t> stored_{0};
    std::atomic<std::uint64_t> replayed_{0};
    std::atomic<std::uint64_t> purged_{0};
    std::array<std::atomic<std::uint64_t>, lost_reasons> lost_{};
    std::atomic<std::uint64_t> kept_letters_{0};
    std::atomic<std::uint64_t> kept_bytes_{0};
};

}  // namespace fanfare
