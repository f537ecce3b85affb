#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>

#include "fanfare/clock.h"
#include "fanfare/listener.h"

namespace fanfare {

/// The ids of the events that were accepted of late, so that an event which is sent again is not
/// delivered again (SPEC 4, `ingest.dedup`). Keeps hashes only, some 150 bytes per id. Any thread.
class Dedup {
  public:
    using Hash = std::array<std::uint64_t, 2>;  ///< the first half of a SHA-256

    /// What an event is told by.
    struct Key {
        Hash id;
        Hash payload;
    };
    static Key key_of(std::string_view id, std::string_view payload);

    enum class Seen : std::uint8_t {
        no,
        duplicate,  ///< with the same payload
        conflict,   ///< with another payload
    };

    class Request;

    explicit Dedup(const DedupOptions& options) : options_(options) {}

    /// Ids that were accepted before: their events are not there after all.
    void forget(std::span<const Key> keys);

  private:
    struct Entry {
        Key key;
        TimePoint accepted;
    };
    struct HashOfHash {
        std::size_t operator()(const Hash& hash) const noexcept { return hash[0]; }
    };
    using Order = std::list<Entry>;  // oldest first

    bool is_expired(const Entry& entry, TimePoint now) const noexcept {
        return now - entry.accepted >= options_.window;
    }
    void remove(Order::iterator entry) noexcept;

    const DedupOptions options_;
    std::mutex mutex_;
    Order order_;
    std::unordered_map<Hash, Order::iterator, HashOfHash> by_id_;
};

/// The events of one request: all of their ids are entered, or none. Others wait until it ends, so
/// an id is accepted once, however many requests race.
class Dedup::Request {
  public:
    Request(Dedup& dedup, TimePoint now) : dedup_(dedup), lock_(dedup.mutex_), now_(now) {}
    /// Forgets the ids again, unless they were accepted.
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    /// Whether the event was accepted within the window, or stands in this request already. If
    /// not, its id is entered.
    Seen look(const Key& key);

    /// Keeps the ids that were entered, and forgets the oldest beyond the bound.
    void accept() noexcept;

  private:
    Dedup& dedup_;
    const std::lock_guard<std::mutex> lock_;
    const TimePoint now_;
    std::size_t added_ = 0;  ///< at the end of the order
};

}  // namespace fanfare
