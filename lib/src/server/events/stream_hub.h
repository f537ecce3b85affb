#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/wakeup.h"
#include "fanfare/broadcaster.h"
#include "fanfare/history.h"
#include "fanfare/streams.h"

namespace fanfare {

/// Why a stream has ended.
enum class StreamEnd : std::uint8_t {
    client,  ///< it has gone
    slow_consumer,
    write_timeout,
    shutdown,
    history_disabled,
    max_age,
    kicked,
    failed,
};
inline constexpr std::size_t stream_ends = 8;
std::string_view to_string(StreamEnd end) noexcept;

enum class StreamFormat : std::uint8_t { ndjson, sse };
inline constexpr std::size_t stream_formats = 2;
std::string_view to_string(StreamFormat format) noexcept;

enum class StreamRefusal : std::uint8_t { total, client, disabled };
inline constexpr std::size_t stream_refusals = 3;
std::string_view to_string(StreamRefusal refusal) noexcept;

enum class GapReason : std::uint8_t { evicted, restart };
inline constexpr std::size_t gap_reasons = 2;
std::string_view to_string(GapReason reason) noexcept;

/// What all streams together have done.
struct StreamCounts {
    std::array<std::uint64_t, stream_formats> opened{};
    std::array<std::uint64_t, stream_ends> closed{};
    std::array<std::uint64_t, stream_refusals> rejected{};
    std::array<std::uint64_t, gap_reasons> gaps{};
    std::uint64_t events_sent = 0;
    std::size_t active = 0;
    std::uint64_t lag_max = 0;  ///< events, of the one that is farthest behind
};

/// One stream that is open: what the list shows of it.
struct StreamState {
    std::uint64_t number = 0;
    std::string name;
    std::string peer;
    std::string client;  ///< whose limit it counts for
    StreamFormat format = StreamFormat::ndjson;
    std::string filter;
    WallTime created{};
    std::uint64_t next = 0;       ///< the seq that it comes to next
    std::uint64_t live_from = 0;  ///< what was next when it was opened
    std::uint64_t sent = 0;       ///< events
    WallTime last_write{};
    bool is_kicked = false;
    Wakeup* wakeup = nullptr;  ///< null: not under way yet

    std::string id() const { return "s-" + std::to_string(number); }
    /// How far it is behind with what came since it was opened.
    std::uint64_t lag(std::uint64_t history_next) const noexcept;
};

/// Who reads the history live: its streams, their limits and counts, and who waits for more. All
/// of it belongs to the loop of `shard`, but for the constructor.
class StreamHub {
  public:
    /// All must outlive it.
    StreamHub(Shard& shard, History& history, StreamsOptions options, std::string instance);
    ~StreamHub();

    /// Connections of the listener that streams and requests that wait leave to probes, scrapes and
    /// commands; where there are few, half of them.
    static constexpr std::size_t connections_reserved = 8;

    /// Somebody who waits for records. Made and destroyed on the loop.
    class Reader {
      public:
        Reader(StreamHub& hub, Wakeup& wakeup);
        ~Reader();
        Reader(const Reader&) = delete;
        Reader& operator=(const Reader&) = delete;

        /// The wakeup is notified once, when there is something with a seq of `next` or above.
        void ask(std::uint64_t next);
        /// Since it asked.
        bool has_been_told() const noexcept { return !is_asking_; }

      private:
        friend class StreamHub;
        StreamHub& hub_;
        Wakeup& wakeup_;
        bool is_asking_ = false;
    };

    /// A request that waits for its answer, and for so long takes a place as a stream does.
    class Waiter {
      public:
        explicit Waiter(StreamHub& hub) : hub_(hub) { ++hub_.waiters_; }
        ~Waiter() { --hub_.waiters_; }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

      private:
        StreamHub& hub_;
    };

    /// A place among the streams, which is given back when this is destroyed.
    class Slot {
      public:
        Slot(StreamHub& hub, std::list<StreamState>::iterator state) : hub_(hub), state_(state) {}
        ~Slot();
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

        StreamState& state() noexcept { return *state_; }

      private:
        StreamHub& hub_;
        const std::list<StreamState>::iterator state_;
    };

    /// `connections`: how many the listener has. Before the loop turns.
    void share_connections(std::size_t connections) noexcept;
    /// Whether another stream or Waiter leaves enough connections to others.
    bool has_place() const noexcept { return streams_.size() + waiters_ < places_; }
    /// Streams that there can be at once.
    std::size_t total_max() const noexcept { return std::min(options_.total_max, places_); }

    /// Why there may be no other stream of this client; nothing if there may.
    std::optional<StreamRefusal> refusal(const std::string& client) const;
    void note_refused(StreamRefusal refusal) noexcept;
    /// `state.number` is given here.
    std::shared_ptr<Slot> open(StreamState state);

    const std::list<StreamState>& streams() const noexcept { return streams_; }
    /// Ends a stream; false if there is none of that number.
    bool kick(std::uint64_t number);

    /// The history is of another instance from now on: streams end, as their readers must ask for
    /// other seqs.
    void begin_anew(std::string instance);

    /// For requests from now on. Any thread.
    void set_options(const StreamsOptions& options);
    const StreamsOptions& options() const noexcept { return options_; }

    /// Ends all streams, and whoever waits.
    void stop();
    bool is_stopping() const noexcept { return is_stopping_; }

    StreamCounts& counts() noexcept { return counts_; }
    StreamCounts totals() const;

    Shard& shard() const noexcept { return shard_; }
    History& history() const noexcept { return history_; }
    const std::string& instance() const noexcept { return instance_; }
    /// Without an instance nothing is known of the history yet; see begin_anew().
    bool has_begun() const noexcept { return !instance_.empty(); }

  private:
    void wake_readers();

    Shard& shard_;
    History& history_;
    std::string instance_;
    StreamsOptions options_;
    StreamCounts counts_;
    std::list<StreamState> streams_;  // by number
    std::map<std::string, std::size_t> clients_;
    std::list<Reader*> readers_;
    std::size_t places_ = std::numeric_limits<std::size_t>::max();
    std::size_t waiters_ = 0;
    std::unique_ptr<History::Watch> watch_;
    std::uint64_t last_number_ = 0;
    bool is_stopping_ = false;
};

}  // namespace fanfare
