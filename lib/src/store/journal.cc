#include "store/journal.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <iterator>

namespace fanfare {
namespace {

std::size_t payload_bytes_of(const Append& append) {
    std::size_t bytes = 0;
    for (const NewEvent& event : append.events) bytes += event.event->payload().size();
    return bytes;
}

}  // namespace

bool Journal::Batch::has_changes() const noexcept {
    return !changes.events.empty() || !changes.acknowledged.empty() || !changes.progress.empty();
}

Journal::Journal(EventStore& store, Executor disk, Clock& clock, OnBroken on_broken,
                 Options options)
    : store_(store),
      disk_(std::move(disk)),
      clock_(clock),
      on_broken_(std::move(on_broken)),
      options_(options),
      alarm_(clock.make_alarm(disk_)) {}

Intake Journal::append(Append append, OnAppended on_appended, const Executor* loop) {
    const std::size_t bytes = payload_bytes_of(append);
    const std::lock_guard lock(mutex_);
    if (counts_.is_broken) return Intake::broken;
    const bool is_too_much =
        !appends_.empty() && counts_.waiting_bytes + bytes > options_.waiting_bytes_max;
    if (is_too_much) return Intake::overloaded;
    if (counts_.full_since && !may_append(clock_.now())) return Intake::full;
    appends_.push_back({std::move(append), std::move(on_appended), bytes});
    counts_.waiting_bytes += bytes;
    ++appends_in_;
    if (loop == nullptr) {
        schedule();
    } else if (std::find(gathering_.begin(), gathering_.end(), *loop) == gathering_.end()) {
        gather(*loop);
    }
    return Intake::taken;
}

/// Behind what `loop` has ready. Without this a commit would begin with the first of many requests
/// that have come together, and where a sync is fast, most would hold a few events: each with its
/// own sync, and with a change of threads there and back.
void Journal::gather(const Executor& loop) {
    try {
        gathering_.push_back(loop);
        gather_on(loop);
    } catch (...) {
        // Without memory for that, nobody else is waited for.
        std::erase(gathering_, loop);
        schedule();
    }
}

void Journal::gather_on(const Executor& loop) {
    net::post(loop, [this, loop, before = appends_in_] {
        const std::lock_guard lock(mutex_);
        // As long as every turn of the loop brings more.
        if (appends_in_ > before && appends_.size() < options_.company) return gather_on(loop);
        std::erase(gathering_, loop);
        if (!appends_.empty()) schedule();
    });
}

void Journal::acknowledge(const EndpointRun& done) {
    const std::lock_guard lock(mutex_);
    if (counts_.is_broken) return;
    add_acknowledged(done);
    delay();
}

void Journal::add_acknowledged(const EndpointRun& done) {
    EndpointSeqs& all = acknowledged_[done.endpoint];
    const std::uint64_t before = all.seqs.count();
    all.endpoint = done.endpoint;
    all.seqs.add(done.seqs);
    // What is said twice does not count twice.
    if (all.seqs.count() - before == done.seqs.count()) all.bytes += done.bytes;
    delayed_count_ += done.seqs.count();
}

void Journal::note_progress(const EventProgress& progress) {
    const std::lock_guard lock(mutex_);
    if (counts_.is_broken) return;
    progress_[{progress.endpoint, progress.seq}] = progress.progress;
    ++delayed_count_;
    delay();
}

void Journal::delay() {
    if (is_due()) return schedule();
    if (due_at_) return;
    due_at_ = clock_.now() + options_.delay_max;
    net::post(disk_, [this] {
        const std::lock_guard lock(mutex_);
        set_alarm();
    });
}

void Journal::set_alarm() {
    // A turn sets it at its end, if it is still needed.
    if (!due_at_ || is_scheduled_ || !alarm_) return;
    alarm_->set(*due_at_, [this] {
        const std::lock_guard lock(mutex_);
        if (due_at_ && *due_at_ <= clock_.now()) schedule();
    });
}

void Journal::flush(OnFlushed on_flushed) {
    const std::lock_guard lock(mutex_);
    flushes_.push_back({std::move(on_flushed), appends_in_});
    schedule();
}

void Journal::read(EndpointId endpoint, std::uint64_t after, PageLimits limits, OnPage on_page) {
    net::post(disk_, [this, endpoint, after, limits, on_page = std::move(on_page)] {
        std::optional<StoredPage> page;
        guarded([&] { page = store_.page(endpoint, after, limits); }, nullptr);
        on_page(std::move(page));
    });
}

void Journal::use(std::function<void(EventStore&)> work) {
    net::post(disk_, [this, work = std::move(work)] {
        if (!guarded([&] { work(store_); }, nullptr)) return;
        look_for_room();
        look_at_store();
    });
}

JournalCounts Journal::counts() const {
    const std::lock_guard lock(mutex_);
    JournalCounts counts = counts_;
    counts.waiting_appends = appends_.size();
    counts.is_full = counts.full_since && (!has_room_ || clock_.now() < full_until_);
    return counts;
}

bool Journal::is_broken() const {
    const std::lock_guard lock(mutex_);
    return counts_.is_broken;
}

void Journal::schedule() {
    if (std::exchange(is_scheduled_, true)) return;
    net::post(disk_, [this] { turn(); });
}

/// Whether a turn has something to do that must not wait.
bool Journal::is_due() const noexcept {
    const bool is_gathering = !gathering_.empty() && appends_.size() < options_.company;
    if ((!appends_.empty() && !is_gathering) || !flushes_.empty()) return true;
    return !is_held_ && delayed_count_ >= options_.delayed_max;
}

void Journal::look() {
    net::post(disk_, [this] { look_at_store(); });
}

void Journal::look_at_store() {
    const TimePoint now = clock_.now();
    if (now < look_at_) return;
    look_at_ = now + options_.look_pause;
    StoreStats stats;
    if (!guarded([&] { stats = store_.stats(); }, nullptr)) return;
    const std::lock_guard lock(mutex_);
    counts_.store = stats;
}

void Journal::turn() {
    Batch batch = take();
    if (!is_broken()) {
        work_off(batch);
    } else {
        break_off("the store is broken", &batch);
    }
    bool has_more = false;
    guarded([&] { has_more = store_.has_garbage(); }, nullptr);
    look_at_store();
    const std::lock_guard lock(mutex_);
    is_scheduled_ = false;
    if (is_due() || (has_more && !is_held_)) return schedule();  // in turns with those who read
    if (has_delayed() || is_held_) return set_alarm();
    due_at_.reset();
    if (alarm_) alarm_->clear();
}

void Journal::end() { alarm_.reset(); }

Journal::Batch Journal::take() {
    Batch batch;
    const std::lock_guard lock(mutex_);
    take_appends(batch);
    if (!is_held_ || *due_at_ <= clock_.now() || !flushes_.empty()) take_delayed(batch);
    batch.may_clean = !is_held_;
    const auto is_later = [this](const auto& waiting) {
        return waiting.after_appends > appends_out_;
    };
    const auto flush = std::stable_partition(flushes_.begin(), flushes_.end(), is_later);
    std::move(flush, flushes_.end(), std::back_inserter(batch.flushes));
    flushes_.erase(flush, flushes_.end());
    return batch;
}

void Journal::take_appends(Batch& batch) {
    while (!appends_.empty()) {
        WaitingAppend& next = appends_.front();
        const bool is_enough =
            batch.changes.events.size() + next.append.events.size() > options_.commit_events_max ||
            batch.bytes + next.bytes > options_.commit_bytes_max;
        if (!batch.appended.empty() && is_enough) return;
        std::move(next.append.events.begin(), next.append.events.end(),
                  std::back_inserter(batch.changes.events));
        std::move(next.append.wanted.begin(), next.append.wanted.end(),
                  std::back_inserter(batch.changes.wanted));
        batch.appended.push_back(std::move(next.on_appended));
        batch.bytes += next.bytes;
        counts_.waiting_bytes -= next.bytes;
        ++appends_out_;
        appends_.pop_front();
    }
}

void Journal::take_delayed(Batch& batch) {
    for (auto& [id, done] : acknowledged_) {
        batch.changes.acknowledged.push_back(std::move(done));
    }
    for (const auto& [key, progress] : progress_) {
        batch.changes.progress.push_back({key.first, key.second, progress});
    }
    acknowledged_.clear();
    progress_.clear();
    delayed_count_ = 0;
    due_at_.reset();
    is_held_ = false;
}

void Journal::put_back(Changes& changes) {
    for (const EndpointSeqs& done : changes.acknowledged) {
        std::uint64_t bytes = done.bytes;
        for (const SeqRange& run : done.seqs) {
            add_acknowledged({done.endpoint, run, std::exchange(bytes, 0)});
        }
    }
    for (const EventProgress& progress : changes.progress) {
        // What has come since then is newer.
        progress_.try_emplace({progress.endpoint, progress.seq}, progress.progress);
        ++delayed_count_;
    }
    changes.acknowledged.clear();
    changes.progress.clear();
}

void Journal::work_off(Batch& batch) {
    const bool is_stored = commit(batch);
    if (is_broken()) return;
    for (const WaitingFlush& flush : batch.flushes) flush.on_flushed(is_stored);
}

/// False if there was no room, or the store broke.
bool Journal::commit(Batch& batch) {
    const TimePoint begin = clock_.now();
    bool is_stored = false;
    guarded(
        [&] {
            is_stored = !batch.has_changes() && !(batch.may_clean && store_.has_garbage());
            if (is_stored) return answer(batch, Appended::stored);
            try {
                store_.commit(batch.changes);
                is_stored = true;
            } catch (const StoreFull&) {
                on_full(batch);
                return;
            }
            on_stored(batch, clock_.now() - begin);
        },
        &batch);
    return is_stored;
}

/// Each once, whatever one of them throws.
void Journal::answer(Batch& batch, Appended appended) {
    const std::vector<OnAppended> all = std::exchange(batch.appended, {});
    for (const OnAppended& on_appended : all) on_appended(appended);
}

void Journal::on_stored(Batch& batch, Duration took) {
    bool was_full = false;
    {
        const std::lock_guard lock(mutex_);
        ++counts_.commits;
        counts_.commit_duration.observe(took);
        if (!batch.changes.events.empty()) {
            counts_.commit_events.observe(static_cast<double>(batch.changes.events.size()));
            was_full = counts_.full_since.has_value();
            counts_.full_since.reset();
        }
        counts_.events += batch.changes.events.size();
        counts_.bytes += batch.bytes;
        for (const EndpointSeqs& done : batch.changes.acknowledged) {
            counts_.acknowledged += done.seqs.count();
        }
    }
    if (was_full && told_full_) told_full_(false);
    answer(batch, Appended::stored);
    look_for_room();
}

void Journal::look_for_room() {
    {
        const std::lock_guard lock(mutex_);
        if (!counts_.full_since) return;
    }
    bool has_room = false;
    guarded([&] { has_room = store_.has_room(); }, nullptr);
    const std::lock_guard lock(mutex_);
    has_room_ = has_room;
}

/// Runs `work`, which must leave StoreFull to nobody; false if the store is broken, or breaks.
template <class Work>
bool Journal::guarded(Work work, Batch* batch) {
    if (is_broken()) return false;
    try {
        work();
        return true;
    } catch (const std::exception& error) {
        break_off(error.what(), batch);
        return false;
    }
}

/// All that waits fails.
void Journal::break_off(const std::string& error, Batch* batch) {
    Batch all;
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        is_first = !std::exchange(counts_.is_broken, true);
        if (batch != nullptr) std::swap(all, *batch);
        for (WaitingAppend& waiting : appends_) {
            all.appended.push_back(std::move(waiting.on_appended));
        }
        std::move(flushes_.begin(), flushes_.end(), std::back_inserter(all.flushes));
        appends_.clear();
        flushes_.clear();
        acknowledged_.clear();
        progress_.clear();
        due_at_.reset();
        is_held_ = false;
        delayed_count_ = 0;
        counts_.waiting_bytes = 0;
    }
    for (const OnAppended& on_appended : all.appended) on_appended(Appended::broken);
    for (const WaitingFlush& flush : all.flushes) flush.on_flushed(false);
    if (is_first && on_broken_) on_broken_(error);
}

}  // namespace fanfare
