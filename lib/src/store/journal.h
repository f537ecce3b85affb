#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/metrics.h"
#include "store/event_store.h"

namespace fanfare {

/// Events that are stored together or not at all, and who wants them.
struct Append {
    std::vector<NewEvent> events;  ///< their seqs above those of all that was appended before
    std::vector<EndpointRun> wanted;
};

/// What has become of an append that was taken.
enum class Appended : std::uint8_t {
    stored,
    full,    ///< there is no room: nothing is stored
    broken,  ///< what is stored is unknown
};

/// Whether an append is taken.
enum class Intake : std::uint8_t {
    taken,
    full,        ///< there has been no room lately
    overloaded,  ///< too much waits for the disk
    broken,
};

/// What a journal has done, and what waits there.
struct JournalCounts {
    std::uint64_t commits = 0;
    std::uint64_t full_commits = 0;  ///< that found no room
    std::uint64_t events = 0;        ///< stored
    std::uint64_t bytes = 0;         ///< of their payloads
    std::uint64_t acknowledged = 0;  ///< once per endpoint and event
    Histogram commit_duration;
    SizeHistogram commit_events;  ///< of commits that stored some
    std::size_t waiting_appends = 0;
    std::size_t waiting_bytes = 0;
    std::optional<TimePoint> full_since;  ///< no events have been stored since then
    bool is_full = false;                 ///< and more would be refused, as far as that is known
    bool is_broken = false;
    /// As of the last look at it; see look().
    StoreStats store;
};

/// The way to the store. What many want written goes into one commit: all that has come while the
/// one before was under way, so that the time a disk takes is shared, and nobody waits for others.
/// Acknowledgements and progress, which nobody waits for, go along, or by themselves after a while.
///
/// Any thread, except where it says otherwise. Everything that blocks runs on one executor, `disk`,
/// and so do all callbacks, one at a time, which must not throw. The store, the clock and this must
/// outlive what is posted there: flush(), and let the loop behind it end.
class Journal {
  public:
    struct Options {
        /// Of one commit; an append is not divided.
        std::size_t commit_events_max = 256;
        std::size_t commit_bytes_max = std::size_t{4} << 20;
        /// So many appends need no more company: what one of them pays for the sync is little.
        std::size_t company = 32;
        /// Payload that may wait for a commit. One append is taken however large it is.
        std::size_t waiting_bytes_max = std::size_t{64} << 20;
        /// How long, and how many, acknowledgements and progress may wait for company.
        Duration delay_max = std::chrono::milliseconds(100);
        std::size_t delayed_max = 256;
        /// While there is no room, how often that is looked at again.
        Duration full_pause = std::chrono::milliseconds(500);
        /// For how long after a commit that found no room the store counts as full. Longer, if it
        /// says itself that it has none.
        Duration full_memory = std::chrono::seconds(5);
        /// How often the store's figures are looked at, at most.
        Duration look_pause = std::chrono::seconds(1);
    };
    using OnAppended = std::function<void(Appended)>;
    using OnPage = std::function<void(std::optional<StoredPage>)>;
    using OnFlushed = std::function<void(bool is_stored)>;
    using OnBroken = std::function<void(const std::string& error)>;
    /// Events find no room, or do again.
    using OnFull = std::function<void(bool is_full)>;

    /// `on_broken` is called once if the store breaks: the process must end.
    Journal(EventStore& store, Executor disk, Clock& clock, OnBroken on_broken, Options options);
    Journal(EventStore& store, Executor disk, Clock& clock, OnBroken on_broken)
        : Journal(store, std::move(disk), clock, std::move(on_broken), Options()) {}
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// `on_appended` is called once if it is taken, in the order of the calls, else never.
    /// With a `loop`, whose thread this is called on, the commit begins when what was ready there
    /// has run: what other senders have sent meanwhile goes along, and nobody waits for a time.
    Intake append(Append append, OnAppended on_appended, const Executor* loop = nullptr);

    /// The endpoint is done with them. Not before they are stored.
    void acknowledge(const EndpointRun& done);

    /// The latest word on an event counts.
    void note_progress(const EventProgress& progress);

    /// The next pending events, also such as are acknowledged and not written yet. Nothing once the
    /// store is broken.
    void read(EndpointId endpoint, std::uint64_t after, PageLimits limits, OnPage on_page);

    /// Tells when all that came before is on the disk, or has failed.
    void flush(OnFlushed on_flushed);

    /// Before anything is appended.
    void on_full(OnFull told) { told_full_ = std::move(told); }

    /// For what comes rarely: runs `work` between two commits, unless the store is broken.
    /// StoreFull is for `work` to catch.
    void use(std::function<void(EventStore&)> work);

    JournalCounts counts() const;

    /// Has the store's figures looked at soon, unless they were lately.
    void look();

    /// On the disk's executor, after flush(): nothing more is written that nobody waits for.
    void end();

  private:
    struct WaitingAppend {
        Append append;
        OnAppended on_appended;
        std::size_t bytes = 0;
    };
    struct WaitingFlush {
        OnFlushed on_flushed;
        std::uint64_t after_appends = 0;
    };
    /// What one turn does.
    struct Batch {
        Changes changes;
        std::vector<OnAppended> appended;
        std::vector<WaitingFlush> flushes;
        std::size_t bytes = 0;
        bool may_clean = true;

        bool has_changes() const noexcept;
    };
    using ProgressKey = std::pair<EndpointId, std::uint64_t>;

    // Guarded by mutex_, which the caller holds.
    void schedule();
    void gather(const Executor& loop);
    void gather_on(const Executor& loop);
    void delay();
    bool is_due() const noexcept;
    bool has_delayed() const noexcept { return !acknowledged_.empty() || !progress_.empty(); }
    void take_appends(Batch& batch);
    void take_delayed(Batch& batch);
    void add_acknowledged(const EndpointRun& done);
    void put_back(Changes& changes);
    void set_alarm();
    bool may_append(TimePoint now);

    // On the disk's executor.
    void turn();
    Batch take();
    void work_off(Batch& batch);
    bool commit(Batch& batch);
    static void answer(Batch& batch, Appended appended);
    void on_stored(Batch& batch, Duration took);
    void on_full(Batch& batch);
    void look_for_room();
    void look_at_store();
    void break_off(const std::string& error, Batch* batch);
    bool is_broken() const;
    template <class Work>
    bool guarded(Work work, Batch* batch);

    EventStore& store_;
    const Executor disk_;
    Clock& clock_;
    const OnBroken on_broken_;
    OnFull told_full_;
    const Options options_;
    // The executor's.
    std::unique_ptr<Alarm> alarm_;  // null: it has ended
    TimePoint look_at_{};

    mutable std::mutex mutex_;
    std::deque<WaitingAppend> appends_;
    std::map<EndpointId, EndpointSeqs> acknowledged_;
    std::map<ProgressKey, StoredProgress> progress_;
    std::vector<WaitingFlush> flushes_;
    std::uint64_t appends_in_ = 0;   // that were ever taken
    std::uint64_t appends_out_ = 0;  // that a batch was made of, or that failed
    std::size_t delayed_count_ = 0;
    std::optional<TimePoint> due_at_;  // of acknowledgements and progress
    bool is_held_ = false;             // they found no room: not before due_at_
    bool is_scheduled_ = false;        // turn() is posted or runs
    std::vector<Executor> gathering_;  // loops, any of which says when to commit
    bool has_room_ = true;
    TimePoint try_again_at_{};  // while there is no room
    TimePoint ask_again_at_{};
    TimePoint full_until_{};
    JournalCounts counts_;
};

}  // namespace fanfare
