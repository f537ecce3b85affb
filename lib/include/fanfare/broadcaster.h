#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/endpoint.h"
#include "fanfare/event.h"
#include "fanfare/history.h"
#include "fanfare/log.h"

namespace boost::asio {
class io_context;
}

namespace fanfare {

class Deadlines;
class Journal;
class Rooms;
class SharedLog;
class SteadyWall;

/// One event loop with its endpoints. Whoever runs the io_context (one thread at most) is the
/// shard's thread; all that belongs to the shard is touched by that thread only.
class Shard {
  public:
    /// All three must outlive the shard.
    Shard(boost::asio::io_context& context, Clock& clock, Log& log);
    ~Shard();

    Executor executor() const noexcept { return executor_; }
    Clock& clock() const noexcept { return clock_; }
    Log& log() const noexcept { return log_; }

    /// Coarse timeouts that cost nothing to set and clear; shard thread.
    Deadlines& deadlines() noexcept { return *deadlines_; }

    /// Whether an endpoint here has events waiting while all its workers are busy, and is not
    /// known to be down; shard thread.
    bool has_backlog() const noexcept { return backlogged_ > 0; }

  private:
    friend class Broadcaster;
    friend class Endpoint;
    class Inbox;

    Executor executor_;
    Clock& clock_;
    Log& log_;
    unsigned backlogged_ = 0;  // endpoints
    std::unique_ptr<Deadlines> deadlines_;
    std::unique_ptr<Inbox> inbox_;
};

/// Everything that is counted, at one moment. Without a shared log, every endpoint has been offered
/// all events that are counted as ingested and were written since it was added, and offered +
/// restored = ignored + dropped + dead letters + delivered (successes) + pending, where offered are
/// those and the ones replayed or of Fanfare's own, and restored the ones that a durable queue had
/// at its start. With one, an endpoint has been offered what came to it here for the first time,
/// and restored is what another process was given before: these are ignored + dropped + dead
/// letters + delivered + held + returned (SharedFigures).
struct Snapshot {
    std::uint64_t ingested_events = 0;
    std::uint64_t ingested_bytes = 0;
    /// In the order in which they were added. Of two that have the same name, one of which was
    /// removed and still delivers what it has queued, only the younger.
    std::vector<EndpointSnapshot> endpoints;
};

/// Why events were not taken: an endpoint with Overflow::reject.
struct NoRoom {
    std::string endpoint;
    bool is_for_ever = false;  ///< they are more than it ever takes at once
};

/// What a new configuration means for endpoints.
struct EndpointChanges {
    std::vector<std::string> removed;      ///< by name
    Duration drain{};                      ///< how long these may deliver what they have queued
    std::vector<EndpointOptions> changed;  ///< see Endpoint::reconfigure
    std::vector<std::shared_ptr<Endpoint>> added;
};

/// Writes each event to every endpoint, as docker/go-events' Broadcaster does. All endpoints see
/// the same order; none is waited for. The one place where an event crosses threads.
class Broadcaster {
  public:
    /// The shards must outlive it, and their loops must turn for its coroutines to end.
    explicit Broadcaster(std::vector<Shard*> shards);
    ~Broadcaster();

    struct Written {
        std::uint64_t first_seq;
        std::uint64_t last_seq;
        /// Each event's, if they do not follow one another: others write to a shared log, too, and
        /// what was there already has the number that it had. Else empty.
        std::vector<std::uint64_t> seqs = {};
    };

    /// Any thread; never blocks on I/O. Numbers the events, which no other broadcaster may have
    /// taken, and puts them into every endpoint's queue, in order and without others in between.
    /// Nothing, and no event taken, once close() was called, or if an endpoint has no room for
    /// them, which `no_room` is then told. `events` must not be empty.
    std::optional<Written> write(std::span<const std::shared_ptr<Event>> events,
                                 std::optional<NoRoom>* no_room = nullptr);

    enum class Stored : std::uint8_t {
        stored,
        closed,       ///< close() was called
        full,         ///< there is no room on the disk
        overloaded,   ///< too much waits for the disk
        failed,       ///< it may be stored or not: the disk has failed, or there is no memory
        unavailable,  ///< it may be stored or not: a shared log has not answered
        refused,      ///< a shared log never takes it: it is too large
    };
    using OnStored = std::function<void(Stored, Written)>;

    /// Once, before anything else: events are kept in a journal, and all endpoints have durable
    /// queues in the same store. `last_seq` is the highest number ever given there. The journal and
    /// `times` must outlive the broadcaster, and it all that the journal calls.
    void keep_in(Journal& journal, const SteadyWall& times, std::uint64_t last_seq);

    /// Once, before anything else: events are kept in a log that other processes write to and read,
    /// too, and all endpoints have queues that are fed by it. It gives the numbers, and it feeds
    /// the history (HistoryFeed). Filters are asked when events come from it. Both must outlive the
    /// broadcaster, and it all that the log calls.
    void keep_in(SharedLog& log, const SteadyWall& times);

    /// Any thread; never blocks on I/O. In place of write(), after keep_in(). Endpoints get the
    /// events once they are stored. Returns why they are not taken; else nothing, and `on_stored`
    /// is called once, on any thread. It must not throw. With no events it tells that all is stored
    /// that was written before, with no numbers. With a `loop`, on whose thread this is called,
    /// what that has ready goes into the same commit.
    std::optional<Stored> store(std::span<const std::shared_ptr<Event>> events, OnStored on_stored,
                                const Executor* loop = nullptr);

    /// Once, before anything else: `history`, which must outlive the broadcaster, gets all that is
    /// written, in its order.
    void keep_history(History& history) { history_ = &history; }

    /// Any thread; takes its place among the events: the endpoint gets those written after it.
    /// Adding an endpoint again is no change. Its shard must be one of this broadcaster's.
    void add(std::shared_ptr<Endpoint> endpoint);

    /// Any thread; the endpoint gets no event written after this. What it has queued is delivered
    /// until `drain` has passed, the rest is counted dropped{removed}; a durable queue keeps all
    /// but what is under way. Unknown: no change.
    void remove(std::shared_ptr<Endpoint> endpoint, Duration drain);

    /// Any thread. All changes take one place among the events: none is offered to a mixture of
    /// old and new. A name that is not there is passed over. False, and no change, once close() was
    /// called.
    bool apply(EndpointChanges changes);

    /// Runs on any shard's executor; see Snapshot.
    awaitable<Snapshot> snapshot();

    /// What has become of the event, at every endpoint. Runs on any executor.
    awaitable<std::vector<EndpointFate>> fates(std::uint64_t seq);

    /// Any thread. The endpoint of that name which was added last, if it has not been removed and
    /// has not ended. What it does is done on its shard: spawn a coroutine there.
    std::shared_ptr<Endpoint> find(std::string_view name);

    /// Any thread. Numbers events that `endpoint` has given up, and queues them there once more,
    /// behind all others. They are not counted as ingested. False, and nothing is queued, if the
    /// endpoint was removed or has ended, or once close() was called.
    bool replay(const std::shared_ptr<Endpoint>& endpoint, std::vector<Replayed> events);

    /// Any thread; never blocks on I/O. Numbers an event of Fanfare's own and queues it at the
    /// endpoints that ask for such and whose filter wants it, but not at the one named `about`. It
    /// is not counted as ingested. With a journal, once that has stored it; if that takes nothing,
    /// only the history has it. False, and no event taken, if the endpoint that it is about is not
    /// there any more, if too many are on their way, or once close() was called.
    bool write_meta(std::shared_ptr<Event> event, std::string_view about = {});

    /// Endpoint::purge of all that was written before; of a durable queue, once that is on the
    /// disk; of a shared one, in all processes: nothing if some may still be there. Any executor.
    awaitable<std::optional<std::size_t>> purge(std::shared_ptr<Endpoint> endpoint);

    /// Any thread: from now on write() takes nothing. Idempotent.
    void close();

    /// close(), then delivers what is queued until `deadline`, ends every endpoint and counts and
    /// logs what was left as dropped{shutdown}; durable queues keep it. All endpoints drain side by
    /// side. Runs on any shard's executor, once.
    awaitable<void> drain(TimePoint deadline);

    /// Any thread: a drain() under way does not wait any longer.
    void cut_off();

  private:
    template <class Part>
    struct Gathering;
    template <class Part, class Work>
    awaitable<std::vector<Part>> gather(Work work, Snapshot* counted);

    /// A shard and those of its endpoints that were added and not removed: events need not go
    /// where there are none.
    struct Lane {
        Shard* shard;
        std::vector<std::weak_ptr<Endpoint>> endpoints;

        /// Not once it has ended by itself.
        bool has(const Endpoint* endpoint) const;
        void forget(const Endpoint* endpoint);
    };
    Lane& lane_of(const Endpoint& endpoint);
    // With the mutex held.
    void add_now(std::shared_ptr<Endpoint> endpoint);
    void remove_now(std::shared_ptr<Endpoint> endpoint, Duration drain);
    void change_now(EndpointOptions options);
    std::shared_ptr<Endpoint> find_now(std::string_view name) const;
    void number(Event& event, TimePoint now);
    void note_written(std::span<const std::shared_ptr<Event>> events);

    /// Who is asked whether they want events that are to be stored, and their filters.
    struct Route {
        Shard* shard;
        std::int64_t store_id;
        std::weak_ptr<Endpoint> endpoint;
        std::shared_ptr<const Filter> filter;
    };
    using Routes = std::vector<Route>;
    struct Storing;
    std::shared_ptr<const Routes> routes();
    void route_now();  // with the mutex held
    bool append_now(const std::shared_ptr<Storing>& storing, const Executor* loop,
                    std::optional<Stored>& refused);
    void on_stored(const std::shared_ptr<Storing>& storing);
    void push_stored(const std::shared_ptr<Storing>& storing);
    using Readers = std::vector<std::shared_ptr<Endpoint>>;
    struct MetaWriting;
    Readers readers_of(const Event& event, std::string_view about) const;
    bool store_meta(const std::shared_ptr<MetaWriting>& writing);
    void remember(MetaWriting& writing);
    void store_again(const std::shared_ptr<Endpoint>& endpoint, std::vector<Replayed> events,
                     History::Copies copies);
    History::Copies copies_of(std::span<const Replayed> replayed) const;
    awaitable<void> flush();

    /// Events of Fanfare's own, on their way to a store or a shard. They are rare; beyond this
    /// something is wrong.
    static constexpr unsigned meta_under_way_max = 1000;

    struct Sharing;
    std::optional<Stored> share(std::span<const std::shared_ptr<Event>> events, OnStored on_stored);
    bool share_again(const std::shared_ptr<Endpoint>& endpoint, std::vector<Replayed> events);
    bool share_meta(std::shared_ptr<Event> event, std::string_view about);

    std::unique_ptr<Sharing> sharing_;  // null: no other process takes part
    Journal* journal_ = nullptr;        // null: nothing is stored
    History* history_ = nullptr;        // null: nothing is kept for readers
    const SteadyWall* times_ = nullptr;
    std::mutex mutex_;
    std::vector<Lane> lanes_;
    std::shared_ptr<const Routes> routes_;
    std::unique_ptr<Rooms> rooms_;
    std::uint64_t last_seq_ = 0;
    std::uint64_t events_ = 0;  // ingested
    std::uint64_t bytes_ = 0;   // their payloads
    std::uint64_t endpoints_added_ = 0;
    std::shared_ptr<std::atomic<unsigned>> meta_under_way_;
    bool is_closed_ = false;
};

}  // namespace fanfare
