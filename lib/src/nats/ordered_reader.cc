#include "nats/ordered_reader.h"

#include <charconv>
#include <utility>

namespace fanfare {

namespace {

constexpr Duration restart_delay = std::chrono::milliseconds(500);

}  // namespace

std::shared_ptr<OrderedReader> OrderedReader::make(JetStream api, Options options,
                                                   Callbacks callbacks) {
    return std::shared_ptr<OrderedReader>(
        new OrderedReader(api, std::move(options), std::move(callbacks)));
}

OrderedReader::OrderedReader(JetStream api, Options options, Callbacks callbacks)
    : api_(api),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      alarm_(api.connection().clock().make_alarm(api.connection().executor())) {}

void OrderedReader::start() {
    watch_ = api_.connection().watch([weak = weak_from_this()](bool is_connected) {
        if (const auto self = weak.lock()) self->set_connected(is_connected);
    });
}

void OrderedReader::close() {
    if (is_closed_) return;
    is_closed_ = true;
    api_.connection().unwatch(watch_);
    alarm_->clear();
    drop_consumer();
}

void OrderedReader::set_connected(bool is_connected) {
    if (is_closed_) return;
    is_connected_ = is_connected;
    if (is_connected) return restart();
    ++round_;
    alarm_->clear();
}

void OrderedReader::restart_after(Duration delay) {
    alarm_->set(api_.connection().clock().now() + delay, [this] { restart(); });
}

void OrderedReader::drop_consumer() {
    ++round_;
    if (inbox_.token == 0) return;
    api_.connection().close_inbox(inbox_.token);
    inbox_ = {};
    if (consumer_.empty()) return;
    api_.delete_consumer(options_.stream, consumer_, [](const JsResult<bool>&) {});
    consumer_.clear();
}

void OrderedReader::restart() {
    drop_consumer();
    if (!is_connected_ || is_closed_) return;
    const auto on_info = [weak = weak_from_this(), round = round_](JsResult<JsStreamInfo> info) {
        const auto self = weak.lock();
        if (!self || self->is_closed_ || self->round_ != round) return;
        if (!info || !self->is_believed(*info)) return self->restart_after(restart_delay);
        self->create(*info);
    };
    api_.stream_info(options_.stream, on_info);
}

/// Where there is another stream than before, that is sure at once.
bool OrderedReader::is_believed(const JsStreamInfo& info) {
    if (info.created != stream_id_ || info.last_seq + 1 >= next_) {
        shorter_since_.reset();
        return true;
    }
    const TimePoint now = api_.connection().clock().now();
    if (!shorter_since_) shorter_since_ = now;
    return now - *shorter_since_ >= options_.believed_after;
}

void OrderedReader::create(const JsStreamInfo& info) {
    // A stream that has lost its end, as a server without its newest data, counts as another one.
    if (info.created != stream_id_ || info.last_seq + 1 < next_) {
        stream_id_ = info.created;
        next_ = std::max<std::uint64_t>(1, callbacks_.on_stream(info));
    }
    consumer_seq_ = 0;
    is_behind_ = true;
    has_more_ = info.messages > 0 && info.last_seq >= next_;
    const auto on_message = [weak = weak_from_this()](NatsMessage message) {
        if (const auto self = weak.lock()) self->receive(std::move(message));
    };
    inbox_ = api_.connection().open_inbox(NatsConnection::Listen::exactly, on_message);
    const JsConsumerConfig config{.stream = options_.stream,
                                  .durable = {},
                                  .description = {},
                                  .filter = options_.filter,
                                  .deliver_to = inbox_.subject,
                                  .first_seq = next_,
                                  .is_acknowledged = false,
                                  .idle_heartbeat = options_.heartbeat};
    const auto on_created = [weak = weak_from_this(),
                             round = round_](const JsResult<JsConsumerInfo>& made) {
        const auto self = weak.lock();
        if (self && !self->is_closed_ && self->round_ == round) self->created(made);
    };
    api_.ensure_consumer(config, on_created);
}

void OrderedReader::created(const JsResult<JsConsumerInfo>& info) {
    if (!info) {
        api_.connection().log().warn("nats", "cannot read the stream, will retry",
                                     {{"stream", options_.stream}, {"error", info.error().text()}});
        return restart_after(restart_delay);
    }
    consumer_ = info->name;
    restart_after(options_.heartbeat * 5 / 2);
    if (!has_more_) caught_up();
}

void OrderedReader::caught_up() {
    if (!std::exchange(is_behind_, false)) return;
    if (callbacks_.on_caught_up) callbacks_.on_caught_up();
}

void OrderedReader::receive(NatsMessage message) {
    if (is_closed_) return;
    if (!consumer_.empty()) restart_after(options_.heartbeat * 5 / 2);
    if (message.status() != 0) return receive_status(message);
    const JsReceipt receipt = js_receipt(message.reply());
    if (receipt.deliveries == 0) return;
    if (receipt.consumer_seq != consumer_seq_ + 1) return restart();
    consumer_seq_ = receipt.consumer_seq;
    if (receipt.seq >= next_) {
        next_ = receipt.seq + 1;
        callbacks_.on_message(receipt.seq, std::move(message));
    }
    if (receipt.pending == 0) caught_up();
}

void OrderedReader::receive_status(const NatsMessage& message) {
    if (message.status() != 100) return restart_after(restart_delay);
    // The consumer waits until we have come so far.
    const std::string_view stalled = message.header("Nats-Consumer-Stalled");
    const std::string_view answer_to = stalled.empty() ? message.reply() : stalled;
    if (!answer_to.empty()) {
        api_.connection().publish(
            {.subject = std::string(answer_to), .headers = {}, .payload = {}});
    }
    const std::string_view last = message.header("Nats-Last-Consumer");
    std::uint64_t seq = 0;
    std::from_chars(last.data(), last.data() + last.size(), seq);
    if (seq > consumer_seq_) return restart();
    // It has nothing else to say.
    if (stalled.empty()) caught_up();
}

}  // namespace fanfare
