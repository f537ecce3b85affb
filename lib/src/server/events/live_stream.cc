#include "server/events/live_stream.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fanfare {

LiveStream::LiveStream(StreamHub& hub, std::shared_ptr<StreamHub::Slot> slot, RecordFilter filter,
                       Start start)
    : hub_(hub),
      slot_(std::move(slot)),
      state_(slot_->state()),
      filter_(std::move(filter)),
      frames_(state_.format, hub.instance(), hub.options().sse_retry_ms),
      options_(hub.options()),
      is_after_restart_(start.is_after_restart),
      opened_(now()),
      last_write_(opened_),
      look_([this] { look_at_write(); }) {
    state_.next = start.next;
}

LiveStream::~LiveStream() { ++hub_.counts().closed[static_cast<std::size_t>(end_)]; }

awaitable<void> LiveStream::run(std::shared_ptr<LiveStream> self, ResponseStream& out) {
    self->out_ = &out;
    self->state_.wakeup = &out.wakeup();
    self->end_ = StreamEnd::failed;
    std::exception_ptr exception;
    try {
        self->end_ = co_await self->stream();
    } catch (...) {
        exception = std::current_exception();
    }
    self->state_.wakeup = nullptr;
    self->tell();
    if (exception) std::rethrow_exception(exception);
}

awaitable<StreamEnd> LiveStream::stream() {
    frames_.hello(text_, state_.id(), hub_.history().range(), state_.next);
    StreamHub::Reader reader(hub_, out_->wakeup());
    for (;;) {
        std::optional<StreamEnd> end = end_now();
        bool has_more = false;
        if (!end) {
            has_more = read();
            keep_alive();
            if (is_too_slow()) end = StreamEnd::slow_consumer;
        }
        if (end) {
            co_await say_goodbye(*end);
            co_return *end;
        }
        const bool is_written = co_await write();
        if (!is_written) co_return evicted_.value_or(StreamEnd::client);
        if (evicted_) {
            co_await say_goodbye(*evicted_);
            co_return *evicted_;
        }
        if (has_more) {
            // In turns with all else that the loop does.
            co_await net::post(net::use_awaitable);
            continue;
        }
        // Looked at once: whoever waits has either asked, or will be woken when the pause is over.
        const bool is_paced = now() < paced_until_;
        if (!is_paced) reader.ask(state_.next);
        co_await wait(is_paced);
    }
}

/// Why the stream is at its end, if it is.
std::optional<StreamEnd> LiveStream::end_now() {
    if (out_->has_client_gone()) return StreamEnd::client;
    if (state_.is_kicked) return StreamEnd::kicked;
    if (out_->is_stopping() || hub_.is_stopping()) return StreamEnd::shutdown;
    if (hub_.history().options().capacity == 0) return StreamEnd::history_disabled;
    const bool is_old = options_.age_max > Duration::zero() && now() - opened_ >= options_.age_max;
    if (is_old) return StreamEnd::max_age;
    return std::nullopt;
}

/// Takes what comes next; whether there is more at once.
bool LiveStream::read() {
    if (now() < paced_until_) return false;
    const HistorySlice slice = hub_.history().read(state_.next, slice_records, slice_bytes);
    if (is_after_restart_ || state_.next < slice.range.lowest) note_gap(slice.range.lowest - 1);
    for (const HistoryRecord& record : slice.records) take(record);
    if (slice.records.empty()) state_.next = std::max(state_.next, slice.range.next);
    const bool has_more = state_.next < slice.range.next;
    is_full_ = has_more && slice.records.size() < slice_records;
    return has_more;
}

void LiveStream::note_gap(std::uint64_t to) {
    StreamFrames::Gap gap{state_.next, to, GapReason::evicted};
    if (is_after_restart_) gap = {0, to, GapReason::restart};
    is_after_restart_ = false;
    frames_.gap(text_, gap);
    ++hub_.counts().gaps[static_cast<std::size_t>(gap.reason)];
    state_.next = to + 1;
    skipped_ = 0;
}

void LiveStream::take(const HistoryRecord& record) {
    state_.next = record.seq + 1;
    if (filter_.wants(record)) {
        frames_.event(text_, record);
        ++events_in_text_;
        skipped_ = 0;
    } else if (++skipped_ >= skipped_max) {
        frames_.advance(text_, state_.next);
        skipped_ = 0;
    }
}

void LiveStream::keep_alive() {
    const bool is_due =
        options_.heartbeat > Duration::zero() && now() - last_write_ >= options_.heartbeat;
    if (!is_due || !text_.empty()) return;
    frames_.ping(text_, state_.next, std::exchange(skipped_, 0) > 0);
}

/// Sends what there is. False if that did not go.
awaitable<bool> LiveStream::write() {
    if (text_.empty()) co_return true;
    write_begun_ = now();
    look_again_later();
    const bool is_written = co_await out_->write(text_);
    look_.disarm();
    write_begun_.reset();
    if (!is_written) co_return false;
    last_write_ = now();
    state_.last_write = hub_.shard().clock().wall();
    state_.sent += events_in_text_;
    hub_.counts().events_sent += events_in_text_;
    const bool is_behind = hub_.history().range().next > state_.next + slice_records;
    if (events_in_text_ > 0 && !is_behind && !is_full_) paced_until_ = last_write_ + pace;
    events_in_text_ = 0;
    text_.clear();
    co_return true;
}

/// While a write is under way: there may be a reason to end. If the write comes to its end within a
/// moment, the reader is still told.
void LiveStream::look_at_write() {
    if (!write_begun_) return;
    const bool is_stuck = now() - *write_begun_ >= options_.write_timeout;
    if (evicted_ || is_stuck) {
        if (!evicted_) evicted_ = StreamEnd::write_timeout;
        return out_->cut();
    }
    if (state_.is_kicked) {
        evicted_ = StreamEnd::kicked;
    } else if (hub_.is_stopping()) {
        evicted_ = StreamEnd::shutdown;
    } else if (is_too_slow()) {
        evicted_ = StreamEnd::slow_consumer;
    }
    look_again_later();
}

void LiveStream::look_again_later() {
    const Duration pause = std::min(lag_patience, options_.write_timeout);
    hub_.shard().deadlines().of(pause).arm(look_);
}

/// Whether it has been too far behind for too long with what came since it was opened.
bool LiveStream::is_too_slow() {
    const std::size_t allowed =
        std::min<std::size_t>(options_.lag_max, hub_.history().options().capacity);
    if (state_.lag(hub_.history().range().next) <= allowed) {
        lagging_since_.reset();
        return false;
    }
    if (!lagging_since_) lagging_since_ = now();
    return now() - *lagging_since_ >= lag_patience;
}

/// Until there may be something to do.
awaitable<void> LiveStream::wait(bool is_paced) {
    TimePoint until = TimePoint::max();
    if (options_.heartbeat > Duration::zero()) until = last_write_ + options_.heartbeat;
    if (options_.age_max > Duration::zero()) until = std::min(until, opened_ + options_.age_max);
    if (is_paced) until = std::min(until, paced_until_);
    co_await wait_until(hub_.shard().clock(), until, out_->wakeup());
}

/// A client that is still there hears why it is no more.
awaitable<void> LiveStream::say_goodbye(StreamEnd end) {
    if (end == StreamEnd::client) co_return;
    frames_.close(text_, end, state_.next - 1);
    Timeout limit([this] { out_->cut(); });
    hub_.shard().deadlines().of(close_limit).arm(limit);
    const bool is_written = co_await out_->write(text_);
    if (!is_written) co_return;
    state_.sent += events_in_text_;
    hub_.counts().events_sent += events_in_text_;
}

void LiveStream::tell() {
    const bool is_evicted = end_ == StreamEnd::slow_consumer || end_ == StreamEnd::write_timeout;
    const std::uint64_t lag = state_.lag(hub_.history().range().next);
    hub_.shard().log().write(is_evicted ? LogLevel::warning : LogLevel::debug, "streams",
                             "stream ended",
                             {{"stream", state_.id()},
                              {"name", state_.name},
                              {"peer", state_.peer},
                              {"reason", to_string(end_)},
                              {"lag", lag},
                              {"sent", state_.sent}});
}

}  // namespace fanfare
