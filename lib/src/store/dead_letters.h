#pragma once

#include <array>
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "fanfare/log.h"
#include "store/dir_lock.h"
#include "store/letter_table.h"
#include "store/letters.h"

namespace fanfare {

/// Keeps dead letters in a file, `dead_letters.db`. All that touches the disk runs on one thread of
/// its own; everything else may be called from any thread. Trouble with the disk is logged and
/// counted, and ends nothing.
class DeadLetterStore final : public DeadLetters {
  public:
    struct Options {
        std::string dir;
        std::uint64_t bytes_max = std::uint64_t{256} * 1024 * 1024;
        /// Of letters handed over that no transaction has taken yet. More than may be kept is never
        /// taken.
        std::uint64_t waiting_bytes_max = std::numeric_limits<std::uint64_t>::max();
    };

    /// Blocks. A file that is damaged is moved aside and told of; an Error for a folder that is in
    /// use or cannot be written to. Clock and log must outlive the store.
    static Result<std::unique_ptr<DeadLetterStore>> open(Options options, Clock& clock, Log& log);

    /// Tries once more to write what waits; what cannot be written then is lost.
    ~DeadLetterStore() override;

    void put(DeadLetter letter) noexcept override;
    void discard(std::span<const std::int64_t> letters) noexcept override;
    void keep(std::span<const std::int64_t> letters) noexcept override;

    bool begin_replay(std::int64_t letter) override;
    DeadLetterCounts counts() const noexcept override;
    awaitable<Result<std::vector<StoredLetter>>> read(LetterRange range) override;
    awaitable<Result<std::int64_t>> last_id() override;
    awaitable<Result<std::uint64_t>> purge(LetterFilter filter) override;
    awaitable<std::size_t> flush(Duration limit) override;

  private:
    using Letters = std::vector<DeadLetter>;
    template <class T>
    using Work = std::function<T(LetterTable&)>;
    struct Flush;

    /// A write that failed is tried again after this.
    static constexpr Duration retry_interval = std::chrono::seconds(1);

    DeadLetterStore(Options options, DirLock lock, LetterTable table, Clock& clock, Log& log);

    template <class T>
    awaitable<Result<T>> ask(Work<T> work);
    template <class T>
    awaitable<Result<T>> run(Work<T> work);
    bool take(DeadLetter& letter);
    void schedule() noexcept;
    void write_waiting() noexcept;
    bool write_next();
    static void let_go(const DeadLetter& letter);
    void take_next();
    void wait_for_better() noexcept;
    void end_flushes();
    bool erase_discarded();
    std::vector<std::int64_t> not_replayed(std::vector<std::int64_t> ids);
    std::size_t waiting() const;
    std::size_t waiting_locked() const noexcept;
    void lose(LostReason reason, std::uint64_t letters) noexcept;
    void tell_lost(bool is_last);
    void note_kept() noexcept;

    const Options options_;
    Clock& clock_;
    Log& log_;
    const DirLock lock_;
    LetterTable table_;  // the thread's

    mutable std::mutex mutex_;
    std::deque<DeadLetter> waiting_;              // guarded by mutex_
    std::uint64_t waiting_bytes_ = 0;             // guarded by mutex_
    std::size_t in_hand_ = 0;                     // guarded by mutex_: letters the thread has taken
    std::vector<std::int64_t> discarded_;         // guarded by mutex_
    std::unordered_set<std::int64_t> replaying_;  // guarded by mutex_
    bool is_scheduled_ = false;                   // guarded by mutex_: there is something to do
    bool is_closing_ = false;                     // guarded by mutex_
    std::vector<std::shared_ptr<Flush>> flushes_;  // guarded by mutex_

    std::atomic<std::uint64_t> stored_{0};
    std::atomic<std::uint64_t> replayed_{0};
    std::atomic<std::uint64_t> purged_{0};
    std::array<std::atomic<std::uint64_t>, lost_reasons> lost_{};
    std::atomic<std::uint64_t> kept_letters_{0};
    std::atomic<std::uint64_t> kept_bytes_{0};

    // The thread's.
    Letters writing_;                    // one transaction's worth; stays until it is written
    std::vector<std::int64_t> erasing_;  // the same, of what was discarded
    std::array<std::uint64_t, lost_reasons> told_{};
    std::optional<TimePoint> told_at_;
    std::string last_error_;
    std::unique_ptr<Alarm> again_;  // after a failure
    std::unique_ptr<Alarm> tell_;   // of what was lost since the last line

    net::thread_pool thread_{1};
};

}  // namespace fanfare
