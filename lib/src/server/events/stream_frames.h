#pragma once

#include <optional>
#include <string>

#include "server/events/stream_hub.h"

namespace fanfare {

/// The texts of one stream: NDJSON, an object per line, or server-sent events (HTML standard, 9.2).
class StreamFrames {
  public:
    StreamFrames(StreamFormat format, std::string instance, unsigned sse_retry_ms);

    void hello(std::string& out, const std::string& stream, HistoryRange range,
               std::uint64_t start) const;
    void event(std::string& out, const HistoryRecord& record) const;

    struct Gap {
        std::uint64_t from;  ///< 0: nobody knows, it was another instance
        std::uint64_t to;
        GapReason reason;
    };
    void gap(std::string& out, const Gap& gap) const;

    /// Shows that the connection lives, and where a reader that comes back would go on.
    void ping(std::string& out, std::uint64_t next, bool has_skipped) const;
    /// Many records were skipped: where the reader is, if the format has something for that.
    void advance(std::string& out, std::uint64_t next) const;
    void close(std::string& out, StreamEnd reason, std::uint64_t last_seq) const;

  private:
    bool is_sse() const noexcept { return format_ == StreamFormat::sse; }
    std::string cursor(std::uint64_t seq) const;
    void control(std::string& out, std::string_view name, std::string_view json) const;

    const StreamFormat format_;
    const std::string instance_;
    const unsigned sse_retry_ms_;
};

}  // namespace fanfare
