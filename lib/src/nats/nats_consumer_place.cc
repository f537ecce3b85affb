// How the places in the stream come about, what is known of them, and how they are emptied.

#include "fleet/name_token.h"
#include "nats/entry_codec.h"
#include "nats/nats_consumer_impl.h"
#include "nats/nats_log.h"

namespace fanfare {

namespace {

constexpr Duration tick_interval = std::chrono::milliseconds(500);
/// Processes that have another configuration may make the other form again.
constexpr Duration other_form_interval = std::chrono::minutes(1);

}  // namespace

NatsConsumer::Impl::Impl(JetStream api, Options options)
    : api_(api),
      options_(std::move(options)),
      alarm_(api.connection().clock().make_alarm(api.connection().executor())) {
    const std::string token = name_token(options_.endpoint.endpoint);
    const auto part = [&token](unsigned i) { return token + "_p" + std::to_string(i); };
    std::vector<std::string> others;
    if (is_partitioned()) {
        others.push_back(token);
    } else {
        for (unsigned i = 0; i < log_partitions; ++i) others.push_back(part(i));
    }
    other_form_ = std::make_shared<OtherForm>(api_, options_.stream, std::move(others));
    if (!is_partitioned()) {
        Place place;
        place.name = token;
        place.filter = options_.all_subjects;
        places_.push_back(std::move(place));
        return;
    }
    const std::string prefix = options_.all_subjects.substr(0, options_.all_subjects.size() - 1);
    for (unsigned i = 0; i < log_partitions; ++i) {
        Place place;
        place.name = part(i);
        place.filter = prefix + std::to_string(i);
        places_.push_back(std::move(place));
    }
}

void NatsConsumer::Impl::start(OnDeliveries on_deliveries) {
    on_deliveries_ = std::move(on_deliveries);
    is_missing_told_ = true;
    options_.on_missing();
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto on_message = [weak = weak_from_this(), i](const NatsMessage& message) {
            const auto self = weak.lock();
            if (self && !self->is_closed_) self->receive(i, message);
        };
        places_[i].inbox = connection().open_inbox(on_message);
    }
    watch_ = connection().watch([weak = weak_from_this()](bool is_connected) {
        if (const auto self = weak.lock()) self->set_connected(is_connected);
    });
}

void NatsConsumer::Impl::close() {
    is_closed_ = true;
    if (watch_ != 0) connection().unwatch(watch_);
    alarm_.reset();
    for (const Place& place : places_) connection().close_inbox(place.inbox.token);
    const std::vector<Delivery> batch = std::exchange(batch_, {});
    for (const Delivery& delivery : batch) settle(delivery.token, "-NAK", true);
    if (std::exchange(is_missing_told_, false)) options_.on_there();
}

JsConsumerConfig NatsConsumer::Impl::config(const Place& place) const {
    std::uint64_t first_seq = begin_seq_ != 0 ? begin_seq_ : fresh_seq_;
    // One that was there and is not any more goes on where it was.
    if (place.was_there) first_seq = place.info.ack_floor + 1;
    return {.stream = options_.stream,
            .durable = place.name,
            .description = options_.endpoint.endpoint,
            .filter = place.filter,
            .first_seq = first_seq,
            .ack_wait = options_.ack_wait,
            .ack_pending_max = is_partitioned() ? 1 : options_.endpoint.in_flight_max};
}

void NatsConsumer::Impl::set_connected(bool is_connected) {
    if (is_closed_) return;
    is_connected_ = is_connected;
    alarm_->clear();
    for (std::size_t i = 0; i < places_.size(); ++i) {
        place_is_gone(i, Duration::zero());
        places_[i].is_asked_for = false;
    }
    if (!is_connected) return;
    tick();
}

void NatsConsumer::Impl::place_is_gone(std::size_t index, Duration delay) {
    Place& place = places_[index];
    place.is_there = false;
    place.ask_at = now() + delay;
    place.requested = 0;
    ++place.generation;
}

void NatsConsumer::Impl::tick() {
    const TimePoint now = this->now();
    const std::string id = options_.stream_id();
    look_at_stream(id);
    if (!id.empty()) send_unsent();
    for (std::size_t i = 0; i < places_.size(); ++i) {
        Place& place = places_[i];
        const Duration patience = 2 * options_.pull_heartbeat + tick_interval;
        if (place.requested > 0 && place.heard + patience < now) place_is_gone(i, Duration::zero());
        const bool is_due = !place.is_there && !place.is_asked_for && place.ask_at <= now;
        if (is_due && !id.empty() && is_other_form_known_) ensure(i);
    }
    if (!id.empty() && now >= other_form_at_) look_at_other_form();
    if (now >= look_at_) {
        look_at_ = now + options_.look_interval;
        look();
    }
    alarm_->set(now + tick_interval, [this] { tick(); });
}

/// In another stream than before, all that is there has come since: none of it was delivered, and
/// what is said of deliveries of the one before means nothing there.
void NatsConsumer::Impl::look_at_stream(const std::string& id) {
    if (id.empty() || id == stream_id_) return;
    const bool is_other = !std::exchange(stream_id_, id).empty();
    if (!is_other) return;
    ++epoch_;
    fresh_seq_ = 1;
    const std::lock_guard lock(mutex_);
    unsent_.clear();
    for (Place& place : places_) {
        place.info = {};
        place.held = 0;
    }
}

void NatsConsumer::Impl::ensure(std::size_t index) {
    places_[index].is_asked_for = true;
    api_.ensure_consumer(config(places_[index]),
                         [weak = weak_from_this(), index](const JsResult<JsConsumerInfo>& info) {
                             const auto self = weak.lock();
                             if (self && !self->is_closed_) self->ensured(index, info);
                         });
}

void NatsConsumer::Impl::ensured(std::size_t index, const JsResult<JsConsumerInfo>& info) {
    Place& place = places_[index];
    place.is_asked_for = false;
    if (!info) {
        place.ask_at = now() + tick_interval;
        return;
    }
    if (!place.is_looked_at) place.info = *info;
    place_is_there(index);
}

void NatsConsumer::Impl::place_is_there(std::size_t index) {
    places_[index].is_there = true;
    places_[index].was_there = true;
    const bool are_all = std::all_of(places_.begin(), places_.end(),
                                     [](const Place& place) { return place.was_there; });
    if (are_all && begin_seq_ != 0) take_over_from_other_form();
    if (are_all && std::exchange(is_missing_told_, false)) options_.on_there();
    pull_soon();
}

// The other form -----------------------------------------------------------------------------

void NatsConsumer::Impl::look_at_other_form() {
    other_form_at_ = now() + other_form_interval;
    other_form_->look([weak = weak_from_this()](const std::optional<OtherForm::Found>& found) {
        const auto self = weak.lock();
        if (self && !self->is_closed_) self->other_form(found);
    });
}

/// At first it says where to begin. Later it is one that another process has made again: what waits
/// there has come here, too, so if nobody uses it, it can go.
void NatsConsumer::Impl::other_form(const std::optional<OtherForm::Found>& found) {
    if (!found) {
        other_form_at_ = now() + tick_interval;
    } else if (!std::exchange(is_other_form_known_, true)) {
        begin_seq_ = found->first_seq;
        fresh_seq_ = found->last_seq + 1;
        if (is_connected_) tick();
    } else if (found->is_there && !found->is_used && begin_seq_ == 0) {
        other_form_->remove();
    }
}

void NatsConsumer::Impl::take_over_from_other_form() {
    connection().log().warn("nats", "the order of an endpoint has changed, events may come twice",
                            {{"endpoint", options_.endpoint.endpoint}, {"from_seq", begin_seq_}});
    begin_seq_ = 0;
    other_form_->remove();
}

void NatsConsumer::Impl::change(const ConsumerOptions& options) {
    if (is_closed_ || options.in_flight_max == options_.endpoint.in_flight_max) return;
    options_.endpoint.in_flight_max = options.in_flight_max;
    for (std::size_t i = 0; i < places_.size() && is_connected_; ++i) ensure(i);
}

// Figures ------------------------------------------------------------------------------------

void NatsConsumer::Impl::look() {
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (!places_[i].is_there) continue;
        const auto on_info = [weak = weak_from_this(), i](const JsResult<JsConsumerInfo>& info) {
            const auto self = weak.lock();
            if (self && !self->is_closed_ && info) self->looked(i, *info);
        };
        api_.consumer_info(options_.stream, places_[i].name, on_info);
    }
}

void NatsConsumer::Impl::looked(std::size_t index, const JsConsumerInfo& info) {
    Place& place = places_[index];
    place.info = info;
    place.is_looked_at = true;
    const bool is_idle = info.pending + info.ack_pending == 0;
    if (is_idle) place.oldest = {};
    if (is_idle || (place.oldest != WallTime() && place.oldest_floor == info.ack_floor)) {
        return sum_up();
    }
    const JsWhich first{.seq = info.ack_floor + 1, .next_of = place.filter};
    const auto on_first = [weak = weak_from_this(), index,
                           floor = info.ack_floor](const JsResult<JsStored>& found) {
        const auto self = weak.lock();
        if (!self || self->is_closed_) return;
        Place& looked_at = self->places_[index];
        looked_at.oldest_floor = floor;
        looked_at.oldest =
            found ? entry_of(found->headers, found->payload).accepted_at : WallTime();
        self->sum_up();
    };
    api_.get(options_.stream, first, on_first);
}

void NatsConsumer::Impl::sum_up() {
    ConsumerFigures sum;
    sum.is_known = true;
    for (const Place& place : places_) {
        sum.is_known = sum.is_known && place.is_looked_at;
        sum.pending += place.info.pending + place.info.ack_pending;
        sum.with_others += place.info.ack_pending;
        sum.redelivered += place.info.redelivered;
        const bool is_older =
            sum.oldest_accepted_at == WallTime() || place.oldest < sum.oldest_accepted_at;
        if (place.oldest != WallTime() && is_older) sum.oldest_accepted_at = place.oldest;
    }
    const std::lock_guard lock(mutex_);
    figures_ = sum;
}

// Purging ------------------------------------------------------------------------------------

struct NatsConsumer::Impl::Purge {
    std::function<void(std::int64_t)> on_purged;
    std::uint64_t last_seq = 0;
    std::size_t index = 0;  ///< of the place that is being made anew
    std::int64_t count = 0;
};

void NatsConsumer::Impl::purge(std::function<void(std::int64_t)> on_purged) {
    const auto purge = std::make_shared<Purge>();
    purge->on_purged = std::move(on_purged);
    api_.stream_info(options_.stream,
                     [self = shared_from_this(), purge](const JsResult<JsStreamInfo>& info) {
                         if (!info) return purge->on_purged(-1);
                         purge->last_seq = info->last_seq;
                         self->purge_next(purge);
                     });
}

void NatsConsumer::Impl::purge_next(const std::shared_ptr<Purge>& purge) {
    if (purge->index == places_.size()) return purge->on_purged(purge->count);
    const std::string name = places_[purge->index].name;
    // A place cannot be moved: it is taken away and made again behind what was there. Others that
    // use it hear of that, and wait a little before they make it themselves.
    const auto on_made = [self = shared_from_this(), purge](const JsResult<JsConsumerInfo>& made) {
        self->purged(purge, made);
    };
    const auto on_gone = [self = shared_from_this(), purge, on_made](const JsResult<bool>& gone) {
        if (!gone) return purge->on_purged(-1);
        JsConsumerConfig config = self->config(self->places_[purge->index]);
        config.first_seq = purge->last_seq + 1;
        self->api_.ensure_consumer(config, on_made);
    };
    const auto on_info = [self = shared_from_this(), purge, name,
                          on_gone](const JsResult<JsConsumerInfo>& info) {
        if (!info) return purge->on_purged(-1);
        purge->count += static_cast<std::int64_t>(info->pending + info->ack_pending);
        self->place_is_gone(purge->index, std::chrono::seconds(1));
        self->api_.delete_consumer(self->options_.stream, name, on_gone);
    };
    api_.consumer_info(options_.stream, name, on_info);
}

void NatsConsumer::Impl::purged(const std::shared_ptr<Purge>& purge,
                                const JsResult<JsConsumerInfo>& made) {
    if (!made) return purge->on_purged(-1);
    places_[purge->index].info = *made;
    if (!is_closed_ && is_connected_) place_is_there(purge->index);
    ++purge->index;
    purge_next(purge);
}

}  // namespace fanfare
