#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fanfare/event.h"
#include "fanfare/history.h"
#include "fanfare/metrics.h"

namespace fanfare {

/// What a log is divided into for endpoints whose order holds by key.
inline constexpr unsigned log_partitions = 16;

/// An event in a log that several processes share.
struct LogEntry {
    std::shared_ptr<Event>
        event;  ///< null when read: it is damaged, and all but the seq is unknown
    WallTime accepted_at{};
    EventSource source = EventSource::http;
    /// meta: whom it is about, who never gets it; replay: the only one that gets it. Else empty.
    std::string endpoint;
    /// What makes it the same entry as another one, for as long as the log remembers: empty: the
    /// event's id.
    std::string dedup_key;
};

/// An entry that an endpoint is to get.
struct Delivery {
    LogEntry entry;
    std::uint64_t seq = 0;    ///< of the log; the same in every process
    unsigned deliveries = 1;  ///< how often some process has been given it, with this time
    std::string token;        ///< names this delivery to SharedConsumer
};

/// How an append has ended.
enum class Published : std::uint8_t {
    stored,
    full,         ///< there is no room: nothing, or not all, is stored
    unavailable,  ///< nobody can be asked, or the answer has not come: it may be stored or not
    refused,      ///< it will never be taken: it is too large for the log
};

/// What is known of an endpoint's place in the log, for all processes together, as of the last
/// look.
struct ConsumerFigures {
    std::uint64_t pending = 0;      ///< waiting, or with some process
    std::uint64_t with_others = 0;  ///< of these, with some process, this one included
    std::uint64_t redelivered = 0;  ///< of these, given out more than once
    WallTime oldest_accepted_at{};  ///< zero: nothing is pending
    bool is_known = false;          ///< it has been looked at at all
};

/// What an endpoint asks of its place.
struct ConsumerOptions {
    std::string endpoint;
    /// Entries that may be with all processes together. 1 keeps strict order.
    unsigned in_flight_max = 1;
    /// Whether the order holds within each partition of the log only, not over all of them;
    /// in_flight_max is 1 for each then.
    bool is_partitioned = false;
};

/// One endpoint's place in a shared log: every entry is given to one of all the processes that have
/// such a place, and again to some process if that one is silent about it for too long, or gives it
/// back. Any thread.
class SharedConsumer {
  public:
    using OnDeliveries = std::function<void(std::vector<Delivery>)>;

    /// Nothing is delivered any more once this has returned. What was delivered and not settled
    /// goes to others after a while.
    virtual ~SharedConsumer() = default;

    /// Once. `on_deliveries` is called on a thread of the log's and must not block. If the place is
    /// not there, it begins behind the last entry. Goes on by itself whatever happens to the
    /// connection.
    virtual void start(OnDeliveries on_deliveries) = 0;

    /// So many more deliveries may come, on top of those allowed before. To stop, allow none.
    virtual void allow(std::size_t deliveries) = 0;

    /// The endpoint is done with it.
    virtual void done(const std::string& token) = 0;
    /// Some process is to have it again, after `delay`.
    virtual void later(const std::string& token, Duration delay) = 0;
    /// It is still being worked on; to be called at least every working_interval().
    virtual void working(const std::string& token) = 0;
    virtual Duration working_interval() const noexcept = 0;

    /// All that is pending now will not be delivered any more. Tells how much that was, or -1 if it
    /// could not be done.
    virtual void purge(std::function<void(std::int64_t)> on_purged) = 0;

    /// Other bounds from now on. Whether it is partitioned stays as it was.
    virtual void change(ConsumerOptions options) = 0;

    virtual ConsumerFigures figures() const = 0;
};

/// What a log has done, and how it fares.
struct SharedLogFigures {
    bool is_connected = false;
    bool is_ready = false;       ///< what is appended is taken, and comes to all places started
    std::uint64_t connects = 0;  ///< successful ones, the first included
    std::uint64_t published = 0;
    std::uint64_t duplicates = 0;  ///< of these, were there already
    std::uint64_t failed = 0;      ///< full, refused, or without an answer
    std::uint64_t waiting = 0;     ///< for an answer
    Histogram publish_duration;    ///< until the answer
    std::uint64_t first_seq = 0;   ///< as of the last look; 0: there is nothing
    std::uint64_t last_seq = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::string server;  ///< that it is connected to, without credentials
};

/// A log of events that several processes append to and work off, kept elsewhere: every entry gets
/// a number, the same for all, and stays until all endpoints are done with it and history wants it
/// no longer. Any thread; nothing blocks. Callbacks come on threads of the log's and must neither
/// throw nor block.
class SharedLog {
  public:
    using OnPublished = std::function<void(Published, std::vector<std::uint64_t> seqs)>;
    /// A record as it came into the log, in order, without gaps except where records are gone.
    using OnEntry = std::function<void(std::uint64_t seq, LogEntry entry)>;

    virtual ~SharedLog() = default;

    /// Each entry is stored by itself, in order. `on_published` is called once: with all seqs, in
    /// the order of the entries, if all are stored. If an entry was there already, its seq is the
    /// one it has. False, and nothing is called, if too much waits for an answer.
    virtual bool append(std::vector<LogEntry> entries, OnPublished on_published) = 0;

    /// A place of the endpoint's.
    virtual std::unique_ptr<SharedConsumer> consumer(ConsumerOptions options) = 0;

    /// Once: tells of every entry, beginning with the last `records` that are there, then as they
    /// come. `on_start` comes first, and again whenever the log behind it is another one than
    /// before, with what identifies it and the seq that the next entry has at least.
    virtual void follow(std::size_t records,
                        std::function<void(const std::string& id, std::uint64_t next)> on_start,
                        OnEntry on_entry) = 0;

    /// The endpoints that have a place, also such as no process has any more; nothing if that
    /// cannot be told now.
    virtual void places(std::function<void(std::optional<std::vector<std::string>>)> on_told) = 0;

    /// Takes an endpoint's place away from all processes, and what waits there. Tells whether that
    /// was done.
    virtual void forget(const std::string& endpoint, std::function<void(bool)> on_done) = 0;

    virtual SharedLogFigures figures() const = 0;
};

}  // namespace fanfare
