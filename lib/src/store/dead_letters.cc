#include "store/dead_letters.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <utility>

#include "base/wakeup.h"
#include "store/database_file.h"

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "dead_letters.db";
constexpr const char* lock_name = "dead_letters.lock";

/// What is written in one transaction. The log beside the file holds one at least, so that it
/// would fill a small disk before the letters do.
constexpr std::size_t batch_letters_max = 1000;
constexpr std::uint64_t batch_bytes_max = std::uint64_t{1024} * 1024;

constexpr Duration log_interval = std::chrono::seconds(10);

Result<LetterTable> open_file(const fs::path& file) {
    const Result<void> made = make_private_file(file);
    if (made.has_error()) return made.error();
    Result<LetterTable> table = LetterTable::open(file);
    if (table.has_error()) return Error(file.string() + ' ' + table.error().message());
    return table;
}

Result<LetterTable> open_or_replace(const fs::path& file, Log& log) {
    try {
        return open_file(file);
    } catch (const SqliteError& error) {
        if (!error.is_damage()) return Error(file.string() + ": " + error.what());
        const std::string aside = file.string() + ".damaged";
        const Result<void> moved = move_database(file, aside);
        if (moved.has_error()) return moved.error();
        log.warn("dead_letters", "damaged file moved aside, beginning with an empty one",
                 {{"file", aside}, {"error", error.what()}});
    }
    try {
        return open_file(file);
    } catch (const SqliteError& error) {
        return Error(file.string() + ": " + error.what());
    }
}

}  // namespace

Result<std::unique_ptr<DeadLetterStore>> DeadLetterStore::open(Options options, Clock& clock,
                                                               Log& log) {
    Result<DirLock> lock = DirLock::take(options.dir, lock_name);
    if (lock.has_error()) return lock.error();
    Result<LetterTable> table = open_or_replace(fs::path(options.dir) / file_name, log);
    if (table.has_error()) return table.error();
    return std::unique_ptr<DeadLetterStore>(
        new DeadLetterStore(std::move(options), std::move(*lock), std::move(*table), clock, log));
}

DeadLetterStore::DeadLetterStore(Options options, DirLock lock, LetterTable table, Clock& clock,
                                 Log& log)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      lock_(std::move(lock)),
      table_(std::move(table)) {
    note_kept();
    if (table_.totals().letters > 0) {
        log_.info("dead_letters", "dead letters are there from before",
                  {{"events", table_.totals().letters}, {"bytes", table_.totals().bytes}});
    }
}

DeadLetterStore::~DeadLetterStore() {
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    net::post(thread_, [this] {
        again_.reset();
        tell_.reset();
    });
    thread_.join();
    while (waiting() > 0) {
        if (write_next() && erase_discarded()) continue;
        const std::lock_guard lock(mutex_);
        lose(LostReason::write, writing_.size() + waiting_.size());
        break;
    }
    tell_lost(true);
}

void DeadLetterStore::put(DeadLetter letter) noexcept {
    try {
        if (take(letter)) return;
    } catch (...) {
        lose(LostReason::backlog, 1);  // there is no memory
    }
    schedule();
}

/// True if the thread knows already that there is something to do. If there are too many, the
/// oldest make room, as on the disk.
bool DeadLetterStore::take(DeadLetter& letter) {
    const std::uint64_t bytes = LetterTable::bytes_of(letter);
    const bool is_backlog = options_.waiting_bytes_max < options_.bytes_max;
    const LostReason reason = is_backlog ? LostReason::backlog : LostReason::evicted;
    const std::uint64_t bytes_max = std::min(options_.bytes_max, options_.waiting_bytes_max);
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && bytes <= bytes_max && waiting_bytes_ + bytes > bytes_max) {
        waiting_bytes_ -= LetterTable::bytes_of(waiting_.front());
        let_go(waiting_.front());
        waiting_.pop_front();
        lose(reason, 1);
    }
    if (bytes > bytes_max) {
        lose(bytes > options_.bytes_max ? LostReason::too_large : LostReason::backlog, 1);
        let_go(letter);
    } else {
        waiting_.push_back(std::move(letter));
        waiting_bytes_ += bytes;
    }
    return std::exchange(is_scheduled_, true);
}

void DeadLetterStore::schedule() noexcept {
    try {
        net::post(thread_, [this] { write_waiting(); });
    } catch (...) {
        // The next letter tries again; those that are there still wait.
        const std::lock_guard lock(mutex_);
        is_scheduled_ = false;
    }
}

/// One transaction at a time, in turns with those who read.
void DeadLetterStore::write_waiting() noexcept {
    bool is_written = false;
    try {
        is_written = write_next() && erase_discarded();
        tell_lost(false);
        end_flushes();
    } catch (...) {
        // There is no memory; later perhaps.
    }
    {
        const std::lock_guard lock(mutex_);
        is_scheduled_ = waiting_locked() > 0;
        if (!is_scheduled_ || is_closing_) return;
    }
    if (is_written) {
        schedule();
    } else {
        wait_for_better();
    }
}

void DeadLetterStore::wait_for_better() noexcept {
    try {
        if (!again_) again_ = clock_.make_alarm(thread_.get_executor());
        again_->set(clock_.now() + retry_interval, [this] { write_waiting(); });
    } catch (...) {
        const std::lock_guard lock(mutex_);
        is_scheduled_ = false;
    }
}

/// False if the disk does not take what there is to write.
bool DeadLetterStore::write_next() {
    if (writing_.empty()) take_next();
    if (writing_.empty()) return true;
    LetterTotals evicted;
    try {
        evicted = table_.add(writing_, options_.bytes_max);
        last_error_.clear();
        stored_ += writing_.size();
        for (const DeadLetter& letter : writing_) let_go(letter);
    } catch (const SqliteError& error) {
        const bool is_new = last_error_ != error.what();
        last_error_ = error.what();
        if (is_new) {
            log_.error("dead_letters", "dead letters cannot be written", {{"error", last_error_}});
        }
        if (error.is_about_disk()) return false;
        // It would go wrong again, and hold up all that come after.
        lose(LostReason::write, writing_.size());
    }
    lose(LostReason::evicted, evicted.letters);
    note_kept();
    writing_.clear();
    const std::lock_guard lock(mutex_);
    in_hand_ = 0;
    return true;
}

/// Whoever keeps the event until then need do so no longer.
void DeadLetterStore::let_go(const DeadLetter& letter) {
    if (letter.on_kept) letter.on_kept(*letter.event);
}

/// False if the disk does not take it.
bool DeadLetterStore::erase_discarded() {
    if (erasing_.empty()) {
        const std::lock_guard lock(mutex_);
        erasing_.swap(discarded_);
        in_hand_ = erasing_.size();
    }
    if (erasing_.empty()) return true;
    try {
        replayed_ += table_.erase(erasing_).letters;
    } catch (const SqliteError& error) {
        log_.error("dead_letters", "letters of replayed events cannot be erased, will try again",
                   {{"error", error.what()}});
        return false;
    }
    note_kept();
    const std::lock_guard lock(mutex_);
    for (const std::int64_t letter : erasing_) replaying_.erase(letter);
    erasing_.clear();
    in_hand_ = 0;
    return true;
}

/// As many as one transaction takes.
void DeadLetterStore::take_next() {
    const std::lock_guard lock(mutex_);
    writing_.reserve(std::min(waiting_.size(), batch_letters_max));
    std::uint64_t bytes = 0;
    while (!waiting_.empty() && writing_.size() < batch_letters_max) {
        bytes += LetterTable::bytes_of(waiting_.front());
        if (!writing_.empty() && bytes > std::min(batch_bytes_max, options_.bytes_max)) break;
        waiting_bytes_ -= LetterTable::bytes_of(waiting_.front());
        writing_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    in_hand_ = writing_.size();
    if (waiting_.empty()) waiting_.shrink_to_fit();
}

void DeadLetterStore::lose(LostReason reason, std::uint64_t letters) noexcept {
    lost_[static_cast<std::size_t>(reason)] += letters;
}

/// The first loss of a burst is told of at once, the others by their number, at most one line per
/// reason and ten seconds.
void DeadLetterStore::tell_lost(bool is_last) {
    const TimePoint now = clock_.now();
    const bool is_early = told_at_ && now - *told_at_ < log_interval;
    for (std::size_t i = 0; i < lost_reasons; ++i) {
        const std::uint64_t lost = lost_[i];
        if (lost == told_[i]) continue;
        if (is_early && !is_last) {
            if (!tell_) tell_ = clock_.make_alarm(thread_.get_executor());
            tell_->set(*told_at_ + log_interval, [this] { tell_lost(false); });
            return;
        }
        told_at_ = now;
        log_.warn("dead_letters", "dead letters are lost",
                  {{"reason", to_string(static_cast<LostReason>(i))},
                   {"events", lost - std::exchange(told_[i], lost)}});
    }
}

void DeadLetterStore::note_kept() noexcept {
    kept_letters_ = table_.totals().letters;
    kept_bytes_ = table_.totals().bytes;
}

DeadLetterCounts DeadLetterStore::counts() const noexcept {
    DeadLetterCounts counts;
    counts.stored = stored_;
    counts.replayed = replayed_;
    counts.purged = purged_;
    for (std::size_t i = 0; i < lost_reasons; ++i) counts.lost[i] = lost_[i];
    counts.kept = {kept_letters_, kept_bytes_};
    return counts;
}

bool DeadLetterStore::begin_replay(std::int64_t letter) {
    const std::lock_guard lock(mutex_);
    return replaying_.insert(letter).second;
}

void DeadLetterStore::discard(std::span<const std::int64_t> letters) noexcept {
    try {
        const std::lock_guard lock(mutex_);
        discarded_.insert(discarded_.end(), letters.begin(), letters.end());
        if (std::exchange(is_scheduled_, true)) return;
    } catch (...) {
        return;  // There is no memory: the letters stay until the next start.
    }
    schedule();
}

void DeadLetterStore::keep(std::span<const std::int64_t> letters) noexcept {
    const std::lock_guard lock(mutex_);
    for (const std::int64_t letter : letters) replaying_.erase(letter);
}

std::size_t DeadLetterStore::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_locked();
}

std::size_t DeadLetterStore::waiting_locked() const noexcept {
    return waiting_.size() + discarded_.size() + in_hand_;
}

/// Somebody who waits for all to be written.
struct DeadLetterStore::Flush {
    explicit Flush(Executor on) : executor(on), done(std::move(on)) {}

    Executor executor;
    Wakeup done;
};

void DeadLetterStore::end_flushes() {
    const std::lock_guard lock(mutex_);
    if (waiting_locked() > 0) return;
    for (const std::shared_ptr<Flush>& flush : flushes_) {
        net::post(flush->executor, [flush] { flush->done.notify(); });
    }
    flushes_.clear();
}

awaitable<std::size_t> DeadLetterStore::flush(Duration limit) {
    const Executor executor = co_await net::this_coro::executor;
    const auto flush = std::make_shared<Flush>(executor);
    bool has_to_wait = false;
    {
        const std::lock_guard lock(mutex_);
        has_to_wait = waiting_locked() > 0;
        if (has_to_wait) flushes_.push_back(flush);
    }
    if (has_to_wait) {
        schedule();
        co_await wait_until(clock_, clock_.now() + limit, flush->done);
        // Whoever asked may be gone, with all loops, before the disk is done.
        const std::lock_guard lock(mutex_);
        std::erase(flushes_, flush);
    }
    co_return waiting();
}

}  // namespace fanfare
