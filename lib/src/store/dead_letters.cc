#include "store/dead_letters.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <utility>

#include "base/run_on.h"
#include "base/wakeup.h"
#include "store/database_file.h"

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "dead_letters.db";
constexpr const char* lock_name = "dead_letters.lock";

/// What is written in one transaction.
constexpr std::size_t batch_letters_max = 1000;
constexpr std::uint64_t batch_bytes_max = std::uint64_t{4} * 1024 * 1024;

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

std::string_view to_string(LostReason reason) noexcept {
    switch (reason) {
        case LostReason::evicted:
            return "evicted";
        case LostReason::too_large:
            return "too_large";
        case LostReason::backlog:
            return "backlog";
        case LostReason::write:
            return "write";
    }
    return "unknown";
}

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
    thread_.join();
    tell_lost(true);
}

void DeadLetterStore::put(DeadLetter letter) noexcept {
    try {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= options_.waiting_max) return lose(LostReason::backlog, 1);
        waiting_.push_back(std::move(letter));
        if (std::exchange(is_scheduled_, true)) return;
    } catch (...) {
        return lose(LostReason::backlog, 1);  // there is no memory
    }
    schedule();
}

void DeadLetterStore::schedule() noexcept {
    try {
        net::post(thread_, [this] { write_waiting(); });
    } catch (...) {
        // The next letter tries again; this one still waits.
        const std::lock_guard lock(mutex_);
        is_scheduled_ = false;
    }
}

void DeadLetterStore::write_waiting() {
    const Letters letters = take_waiting();
    if (!letters.empty()) write(letters);
    tell_lost(false);
    {
        const std::lock_guard lock(mutex_);
        is_scheduled_ = !waiting_.empty();
        if (!is_scheduled_) return;
    }
    // In turns with those who read.
    schedule();
}

/// As many as one transaction takes, without those that are too large.
DeadLetterStore::Letters DeadLetterStore::take_waiting() {
    const std::uint64_t bytes_max = std::min(batch_bytes_max, options_.bytes_max);
    const std::lock_guard lock(mutex_);
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    while (count < std::min(waiting_.size(), batch_letters_max)) {
        const std::uint64_t more = LetterTable::bytes_of(waiting_[count]);
        if (count > 0 && bytes + more > bytes_max) break;
        bytes += more;
        ++count;
    }
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    Letters letters(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    if (waiting_.empty()) waiting_.shrink_to_fit();
    if (count == 1 && bytes > options_.bytes_max) {
        letters.clear();
        lose(LostReason::too_large, 1);
    }
    return letters;
}

void DeadLetterStore::write(const Letters& letters) {
    try {
        const LetterTotals evicted = table_.add(letters, options_.bytes_max);
        stored_ += letters.size();
        lose(LostReason::evicted, evicted.letters);
    } catch (const std::exception& error) {
        last_error_ = error.what();
        lose(LostReason::write, letters.size());
    }
    note_kept();
}

void DeadLetterStore::lose(LostReason reason, std::uint64_t letters) noexcept {
    lost_[static_cast<std::size_t>(reason)] += letters;
}

/// The first loss of a burst is told of at once, the others by their number, at most one line per
/// reason and ten seconds.
void DeadLetterStore::tell_lost(bool is_last) {
    const TimePoint now = clock_.now();
    if (!is_last && told_at_ && now - *told_at_ < log_interval) return;
    for (std::size_t i = 0; i < lost_reasons; ++i) {
        const std::uint64_t lost = lost_[i];
        const std::uint64_t untold = lost - std::exchange(told_[i], lost);
        if (untold == 0) continue;
        told_at_ = now;
        const auto reason = static_cast<LostReason>(i);
        if (reason == LostReason::write) {
            log_.error("dead_letters", "dead letters could not be written",
                       {{"reason", to_string(reason)}, {"events", untold}, {"error", last_error_}});
        } else {
            log_.warn("dead_letters", "dead letters are lost",
                      {{"reason", to_string(reason)}, {"events", untold}});
        }
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

template <class T>
awaitable<Result<T>> DeadLetterStore::run(Work<T> work) {
    try {
        Result<T> result(boost::system::in_place_value, work(table_));
        note_kept();
        co_return result;
    } catch (const SqliteError& error) {
        co_return Error(std::string("the dead letters cannot be read or written: ") + error.what());
    }
}

template <class T>
awaitable<Result<T>> DeadLetterStore::ask(Work<T> work) {
    awaitable<Result<T>> task = run(std::move(work));
    Result<T> result = co_await run_on(thread_.get_executor(), std::move(task));
    co_return result;
}

awaitable<Result<std::vector<StoredLetter>>> DeadLetterStore::read(LetterRange range) {
    return ask<std::vector<StoredLetter>>(
        [range = std::move(range)](LetterTable& table) { return table.read(range); });
}

awaitable<Result<std::int64_t>> DeadLetterStore::last_id() {
    return ask<std::int64_t>([](LetterTable& table) { return table.last_id(); });
}

awaitable<Result<std::uint64_t>> DeadLetterStore::purge(LetterFilter filter) {
    std::uint64_t purged = 0;
    for (;;) {
        Work<std::uint64_t> work = [this, &filter](LetterTable& table) {
            const std::uint64_t letters = table.erase(filter).letters;
            purged_ += letters;
            return letters;
        };
        const Result<std::uint64_t> erased = co_await ask<std::uint64_t>(std::move(work));
        if (erased.has_error()) co_return erased.error();
        purged += *erased;
        if (*erased < LetterTable::erased_at_once_max) break;
    }
    co_return purged;
}

awaitable<Result<std::uint64_t>> DeadLetterStore::erase(std::vector<std::int64_t> ids,
                                                        LetterRemoval removal) {
    return ask<std::uint64_t>([this, ids = std::move(ids), removal](LetterTable& table) {
        const std::uint64_t letters = table.erase(ids).letters;
        (removal == LetterRemoval::replayed ? replayed_ : purged_) += letters;
        return letters;
    });
}

bool DeadLetterStore::has_waiting() {
    const std::lock_guard lock(mutex_);
    return is_scheduled_;
}

awaitable<void> DeadLetterStore::flush(Duration limit) {
    const Executor executor = co_await net::this_coro::executor;
    const TimePoint deadline = clock_.now() + limit;
    while (has_waiting() && clock_.now() < deadline) {
        // Shared, as the disk may be done only when nobody waits for it any more.
        const auto turn = std::make_shared<Wakeup>(executor);
        net::post(thread_, [turn, executor] { net::post(executor, [turn] { turn->notify(); }); });
        co_await wait_until(clock_, deadline, *turn);
    }
}

}  // namespace fanfare
