#include "server/events/stream_frames.h"

#include "server/events/record_text.h"

namespace fanfare {
namespace {

std::string text(std::uint64_t number) { return std::to_string(number); }

}  // namespace

StreamFrames::StreamFrames(StreamFormat format, std::string instance, unsigned sse_retry_ms)
    : format_(format), instance_(std::move(instance)), sse_retry_ms_(sse_retry_ms) {}

std::string StreamFrames::cursor(std::uint64_t seq) const { return instance_ + ':' + text(seq); }

/// What is no event. `json` is an object.
void StreamFrames::control(std::string& out, std::string_view name, std::string_view json) const {
    if (is_sse()) {
        out += "event: ";
        out += name;
        out += "\ndata: ";
    }
    out += json;
    out += is_sse() ? "\n\n" : "\n";
}

void StreamFrames::hello(std::string& out, const std::string& stream, HistoryRange range,
                         std::uint64_t start) const {
    if (is_sse()) out += "retry: " + text(sse_retry_ms_) + '\n';
    control(out, "hello",
            R"({"type":"hello","instance":")" + instance_ + R"(","stream":")" + stream +
                R"(","lowest":)" + text(range.lowest) + R"(,"next":)" + text(range.next) +
                R"(,"start":)" + text(start) + '}');
}

void StreamFrames::event(std::string& out, const HistoryRecord& record) const {
    if (is_sse()) {
        out += "id: ";
        out += cursor(record.seq);
        out += "\ndata: {";
    } else {
        out += R"({"type":"event",)";
    }
    append_record(out, record);
    out += is_sse() ? "}\n\n" : "}\n";
}

void StreamFrames::gap(std::string& out, const Gap& gap) const {
    const bool is_known = gap.from > 0;
    std::string json = R"({"type":"gap","from":)" + (is_known ? text(gap.from) : "null");
    json += R"(,"to":)" + text(gap.to) + R"(,"missed":)";
    json += is_known ? text(gap.to + 1 - gap.from) : "null";
    json += R"(,"reason":")";
    json += to_string(gap.reason);
    json += R"("})";
    if (is_sse()) out += "id: " + cursor(gap.to) + '\n';
    control(out, "gap", json);
}

void StreamFrames::ping(std::string& out, std::uint64_t next, bool has_skipped) const {
    if (!is_sse()) {
        out += R"({"type":"ping","next":)" + text(next) + "}\n";
        return;
    }
    if (has_skipped) advance(out, next);
    out += ": ping\n\n";
}

/// A block with nothing but an id sets what the browser comes back with, and fires no event.
void StreamFrames::advance(std::string& out, std::uint64_t next) const {
    if (is_sse()) out += "id: " + cursor(next - 1) + "\n\n";
}

void StreamFrames::close(std::string& out, StreamEnd reason, std::uint64_t last_seq) const {
    control(out, "close",
            R"({"type":"close","reason":")" + std::string(to_string(reason)) + R"(","last_seq":)" +
                text(last_seq) + '}');
}

}  // namespace fanfare
