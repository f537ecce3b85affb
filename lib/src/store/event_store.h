#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/event.h"
#include "fanfare/outcome.h"
#include "store/seq_ranges.h"

namespace fanfare {

/// The number of an endpoint within a store; from 1, none is used twice.
using EndpointId = std::int64_t;

/// There is no room: nothing has changed, and what needs none still works.
class StoreFull : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Nothing is known any more of what is on the disk: the process must end, and begin anew with what
/// it finds there.
class StoreBroken : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An event to be stored.
struct NewEvent {
    std::uint64_t seq = 0;  ///< the event's own is not looked at
    WallTime accepted_at{};
    EventPtr event;
};

/// One run of seqs that one endpoint has to do with, and the bytes of their payloads.
struct EndpointRun {
    EndpointId endpoint = 0;
    SeqRange seqs;
    std::uint64_t bytes = 0;
};

/// Seqs that one endpoint has to do with, and the bytes of their payloads.
struct EndpointSeqs {
    EndpointId endpoint = 0;
    SeqRanges seqs;
    std::uint64_t bytes = 0;
};

/// How far the attempts to deliver an event have come. Wall time, as it must survive a restart:
/// whoever reads it must not wait for longer than they would have from now on.
struct StoredProgress {
    unsigned attempts = 0;
    unsigned failures = 0;
    WallTime next_at{};
    int last_status = 0;
    Reason last_error = Reason::none;

    bool operator==(const StoredProgress&) const = default;
};

struct EventProgress {
    EndpointId endpoint = 0;
    std::uint64_t seq = 0;
    StoredProgress progress;
};

/// What one commit does. Endpoints that are not there, and seqs that do not wait there, are passed
/// over.
struct Changes {
    std::vector<NewEvent> events;            ///< in order, above last_seq()
    std::vector<EndpointRun> wanted;         ///< of those events; one that nobody wants is not kept
    std::vector<EndpointSeqs> acknowledged;  ///< these endpoints are done with them
    std::vector<EventProgress> progress;
};

/// An event that waits for an endpoint.
struct StoredEvent {
    std::uint64_t seq = 0;
    WallTime accepted_at{};
    std::shared_ptr<Event> event;  ///< null: it is damaged, and all but the seq is unknown
    std::optional<StoredProgress> progress;
};

/// At least one event is given, if there is one.
struct PageLimits {
    std::size_t events_max = 256;
    std::size_t bytes_max = std::size_t{1024} * 1024;
};

struct StoredPage {
    std::vector<StoredEvent> events;
    std::size_t payload_bytes = 0;
    bool has_more = false;
};

/// How much waits.
struct Backlog {
    std::uint64_t events = 0;
    /// Payload. Exact, except after a part of a backlog was purged, until that is empty.
    std::uint64_t bytes = 0;

    bool operator==(const Backlog&) const = default;
};

struct StoredEndpoint {
    EndpointId id = 0;
    std::string name;
    Backlog pending;
    std::optional<WallTime> oldest_at;   ///< when the oldest pending event was accepted
    std::optional<WallTime> removed_at;  ///< it is kept for its return
};

struct StoreStats {
    std::uint64_t events = 0;      ///< stored, also such as nobody wants any more
    std::uint64_t file_bytes = 0;  ///< with what is free
    std::uint64_t free_bytes = 0;  ///< in the file
    std::uint64_t disk_available_bytes = 0;  ///< to who is not root
    std::uint64_t wal_bytes = 0;
    std::uint64_t bytes_max = 0;
    std::uint64_t damaged_events = 0;    ///< seen since the start
    std::uint64_t forgotten_events = 0;  ///< pending at endpoints that were forgotten
    std::uint64_t moved_aside = 0;       ///< stores that could not be used, at the start
};

/// Keeps events until all endpoints that want them are done with them. Blocks; one thread at a
/// time. What has returned is on stable storage. Everything may throw StoreBroken, and what adds
/// something StoreFull.
class EventStore {
  public:
    virtual ~EventStore() = default;

    /// All of it or nothing.
    virtual void commit(const Changes& changes) = 0;

    /// The oldest events behind `after` that wait for an endpoint.
    virtual StoredPage page(EndpointId endpoint, std::uint64_t after, const PageLimits& limits) = 0;

    /// The endpoints of these names: those that are there, also if they were removed, or new ones.
    virtual std::vector<EndpointId> open_endpoints(std::span<const std::string> names) = 0;
    EndpointId open_endpoint(const std::string& name) { return open_endpoints({&name, 1}).front(); }
    /// It gets no events any more; those that wait stay until it is forgotten.
    virtual void remove_endpoint(EndpointId endpoint, WallTime at) = 0;
    virtual void forget_endpoint(EndpointId endpoint) = 0;
    /// Drops what waits up to a seq, and returns what that was.
    virtual Backlog purge(EndpointId endpoint, std::uint64_t until) = 0;

    virtual std::vector<StoredEndpoint> endpoints() = 0;
    /// The highest that an event ever had, 0 if there was none.
    virtual std::uint64_t last_seq() const = 0;
    /// Of this store, made with it.
    virtual const std::string& id() const = 0;
    virtual StoreStats stats() = 0;

    /// After StoreFull: whether there is so much room again that events can be added for a while.
    virtual bool has_room() = 0;
    /// Whether a commit, be it without changes, would delete what nobody wants any more.
    virtual bool has_garbage() const = 0;

    /// Looks at everything, which takes time; what is wrong, in one line each, at most a hundred.
    virtual std::vector<std::string> check() = 0;
};

}  // namespace fanfare
