#include "nats/ordered_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fanfare {

namespace {

/// A server gives up on a client for which too much waits.
constexpr std::size_t batch_bytes_min = 4 << 20;
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
      alarm_(api.connection().clock().make_alarm(api.connection().executor())),
      pull_alarm_(api.connection().clock().make_alarm(api.connection().executor())) {}

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
    shorter_since_.reset();
    if (is_connected) return restart();
    ++round_;
    alarm_->clear();
}

void OrderedReader::restart_after(Duration delay) {
    alarm_->set(api_.connection().clock().now() + delay, [this] { restart(); });
}

void OrderedReader::drop_consumer() {
    ++round_;
    pull_alarm_->clear();
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
    begun_at_ = api_.connection().clock().now();
    last_seq_ = info.messages > 0 ? info.last_seq : 0;
    const auto on_message = [weak = weak_from_this()](NatsMessage message) {
        if (const auto self = weak.lock()) self->receive(std::move(message));
    };
    inbox_ = api_.connection().open_inbox(on_message);
    const JsConsumerConfig config{.stream = options_.stream,
                                  .durable = {},
                                  .description = {},
                                  .filter = options_.filter,
                                  .first_seq = next_,
                                  .is_acknowledged = false};
    const auto on_created = [weak = weak_from_this(),
                             round = round_](const JsResult<JsConsumerInfo>& made) {
        const auto self = weak.lock();
        if (self && !self->is_closed_ && self->round_ == round) self->created(made);
    };
    api_.ensure_consumer(config, on_created);
}

void OrderedReader::created(const JsResult<JsConsumerInfo>& info) {
    if (!info) {
        if (std::exchange(last_problem_, info.error().text()) != last_problem_) {
            api_.connection().log().warn("nats", "cannot read the stream, will retry",
                                         {{"stream", options_.stream}, {"error", last_problem_}});
        }
        return restart_after(restart_delay);
    }
    last_problem_.clear();
    consumer_ = info->name;
    if (last_seq_ >= next_) return pull(options_.batch_max, false);
    caught_up();
    pull(1, true);
}

/// `waits`: for messages to come; else there may be none.
void OrderedReader::pull(unsigned batch, bool waits) {
    restart_after(options_.heartbeat * 5 / 2);
    asked_ = batch;
    came_ = 0;
    std::string body = R"({"batch":)" + std::to_string(batch);
    if (waits) {
        body += R"(,"expires":)" + std::to_string((options_.heartbeat * 15).count()) +
                R"(,"idle_heartbeat":)" + std::to_string(options_.heartbeat.count());
    } else {
        const std::size_t bytes_max =
            std::max<std::size_t>(batch_bytes_min, 2 * api_.connection().payload_max());
        body += R"(,"no_wait":true,"max_bytes":)" + std::to_string(bytes_max);
    }
    body += '}';
    api_.connection().publish(
        {.subject = "$JS.API.CONSUMER.MSG.NEXT." + options_.stream + "." + consumer_,
         .headers = {},
         .payload = body,
         .reply = inbox_.subject + ".0"});
}

void OrderedReader::pull_after_interval() {
    pull_alarm_->set(api_.connection().clock().now() + options_.interval,
                     [this] { pull(options_.batch_max, false); });
}

/// The consumer's server may not have all yet that the leader has, or what was last there is gone.
void OrderedReader::caught_up() {
    const bool is_young = api_.connection().clock().now() - begun_at_ < options_.believed_after;
    if (next_ <= last_seq_ && is_young) return;
    if (!std::exchange(is_behind_, false)) return;
    if (callbacks_.on_caught_up) callbacks_.on_caught_up();
}

void OrderedReader::receive(NatsMessage message) {
    if (is_closed_ || consumer_.empty()) return;
    if (message.status() != 0) return receive_status(message);
    const JsReceipt receipt = js_receipt(message.reply());
    if (receipt.deliveries == 0) return;
    if (receipt.consumer_seq != consumer_seq_ + 1) return restart();
    consumer_seq_ = receipt.consumer_seq;
    // A batch may take its time.
    if (came_++ % 16 == 0) restart_after(options_.heartbeat * 5 / 2);
    if (asked_ > 0) --asked_;
    if (receipt.seq >= next_) {
        next_ = receipt.seq + 1;
        callbacks_.on_message(receipt.seq, std::move(message));
    }
    if (receipt.pending == 0) caught_up();
    if (asked_ == 0) end_batch();
}

/// 100: a heartbeat; 404 and 408: there is no more now; 409: what comes next does not fit in, or,
/// as all else: the consumer is of no use.
void OrderedReader::receive_status(const NatsMessage& message) {
    switch (message.status()) {
        case 100:
            caught_up();
            return restart_after(options_.heartbeat * 5 / 2);
        case 409:
            if (came_ > 0) return pull(options_.batch_max, false);
            return restart_after(restart_delay);
        case 404:
        case 408:
            caught_up();
            return end_batch();
        default:
            return restart_after(restart_delay);
    }
}

/// A batch that is full may have more behind it.
void OrderedReader::end_batch() {
    const bool is_full = asked_ == 0 && came_ == options_.batch_max;
    if (is_full) return pull(options_.batch_max, false);
    if (came_ == 0) return pull(1, true);
    restart_after(options_.interval + options_.heartbeat * 5 / 2);
    pull_after_interval();
}

}  // namespace fanfare
