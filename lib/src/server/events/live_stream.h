#pragma once

#include <memory>
#include <string>

#include "base/deadlines.h"
#include "server/events/record_filter.h"
#include "server/events/stream_frames.h"
#include "server/events/stream_hub.h"
#include "server/http_server.h"

namespace fanfare {

/// One reader of the live stream: a place in the history, and what has been read from there and not
/// been sent yet. Publishing costs a wake-up at most; a reader that cannot follow is sent away. The
/// hub's loop.
class LiveStream {
  public:
    /// Where it begins.
    struct Start {
        std::uint64_t next = 1;
        bool is_after_restart = false;  ///< what came before is of another instance
    };

    LiveStream(StreamHub& hub, std::shared_ptr<StreamHub::Slot> slot, RecordFilter filter,
               Start start);
    ~LiveStream();
    LiveStream(const LiveStream&) = delete;
    LiveStream& operator=(const LiveStream&) = delete;

    /// Writes all of it; ends when the stream has.
    static awaitable<void> run(std::shared_ptr<LiveStream> self, ResponseStream& out);

  private:
    /// Records and bytes that are read at once. A write takes no more than this and one record.
    static constexpr std::size_t slice_records = 64;
    static constexpr std::size_t slice_bytes = std::size_t{64} << 10;
    static constexpr std::uint64_t skipped_max = 1000;
    /// After events were sent, the next ones have that long to gather: a stream at thousands of
    /// events a second costs fifty writes.
    static constexpr Duration pace = std::chrono::milliseconds(20);
    /// For how long it may be too far behind; also how often that is looked at while it writes.
    static constexpr Duration lag_patience = std::chrono::seconds(1);
    static constexpr Duration close_limit = std::chrono::seconds(1);

    awaitable<StreamEnd> stream();
    awaitable<bool> write();
    awaitable<void> wait(bool is_paced);
    awaitable<void> say_goodbye(StreamEnd end);
    std::optional<StreamEnd> end_now();
    bool read();
    void take(const HistoryRecord& record);
    void note_gap(std::uint64_t to);
    void keep_alive();
    bool is_too_slow();
    void look_at_write();
    void look_again_later();
    void tell();
    TimePoint now() const noexcept { return hub_.shard().clock().now(); }

    StreamHub& hub_;
    const std::shared_ptr<StreamHub::Slot> slot_;
    StreamState& state_;
    const RecordFilter filter_;
    const StreamFrames frames_;
    const StreamsOptions options_;
    bool is_after_restart_;
    bool is_full_ = false;  // what was read last was as many bytes as may be, and there is more
    ResponseStream* out_ = nullptr;
    std::string text_;  // to be written
    std::uint64_t events_in_text_ = 0;
    std::uint64_t skipped_ = 0;  // since the reader was last told where it is
    TimePoint opened_;
    TimePoint last_write_;
    TimePoint paced_until_{};
    std::optional<TimePoint> lagging_since_;
    std::optional<TimePoint> write_begun_;
    std::optional<StreamEnd> evicted_;
    StreamEnd end_ = StreamEnd::client;  // before it is under way
    Timeout look_;
};

}  // namespace fanfare
