#include "nats/nats_consumer.h"

#include <boost/asio/post.hpp>
#include <charconv>

#include "nats/entry_codec.h"
#include "nats/nats_consumer_impl.h"

namespace fanfare {

namespace {

constexpr std::size_t pull_max = 1'000;
constexpr std::string_view acknowledged = "+ACK";
constexpr std::size_t unsent_max = 10'000;
/// If there is less credit than partitions, it goes round so fast.
constexpr Duration short_expiry = std::chrono::seconds(1);

/// Where a delivery is answered, and which place it is of, as its token says.
struct DeliveryToken {
    std::size_t place = 0;
    std::uint64_t epoch = 0;
    std::string address;
};

std::string token_of(const DeliveryToken& token) {
    return std::to_string(token.place) + " " + std::to_string(token.epoch) + " " + token.address;
}

DeliveryToken parse_token(const std::string& token) {
    const std::size_t first = token.find(' ');
    const std::size_t second = first == std::string::npos ? first : token.find(' ', first + 1);
    if (second == std::string::npos) return {};
    return {.place = std::stoul(token.substr(0, first)),
            .epoch = std::stoull(token.substr(first + 1, second - first - 1)),
            .address = token.substr(second + 1)};
}

}  // namespace

// Pulling ------------------------------------------------------------------------------------

std::size_t NatsConsumer::Impl::requested() const noexcept {
    std::size_t sum = 0;
    for (const Place& place : places_) sum += place.requested;
    return sum;
}

void NatsConsumer::Impl::allow(std::size_t deliveries) {
    if (is_closed_) return;
    credit_ += deliveries;
    pull_soon();
}

void NatsConsumer::Impl::pull_soon() {
    if (std::exchange(is_pulling_soon_, true)) return;
    net::post(connection().executor(), [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->is_pulling_soon_ = false;
        self->pull_more();
    });
}

void NatsConsumer::Impl::pull_more() {
    const std::size_t out = requested();
    if (is_closed_ || !is_connected_ || credit_ <= out) return;
    const std::size_t free = credit_ - out;
    if (is_partitioned()) return pull_partitions(free);
    // Not for every single one that is settled: half of what may come is asked for together.
    if (!places_.front().is_there || free < out) return;
    pull(0, std::min(free, pull_max), options_.pull_expiry);
}

void NatsConsumer::Impl::pull_partitions(std::size_t free) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
        Place& place = places_[i];
        // While one of its messages is with us, there can be no other.
        const bool can_pull = place.is_there && place.requested == 0 && place.held == 0;
        if (!can_pull || place.is_in_line) continue;
        place.is_in_line = true;
        line_.push_back(i);
    }
    const Duration expiry = free < line_.size() ? short_expiry : options_.pull_expiry;
    while (free > 0 && !line_.empty()) {
        const std::size_t index = line_.front();
        line_.pop_front();
        Place& place = places_[index];
        place.is_in_line = false;
        if (!place.is_there || place.requested != 0 || place.held != 0) continue;
        pull(index, 1, expiry);
        --free;
    }
}

void NatsConsumer::Impl::pull(std::size_t index, std::size_t wanted, Duration expiry) {
    Place& place = places_[index];
    place.requested += wanted;
    place.heard = now();
    const Duration heartbeat = std::min(options_.pull_heartbeat, expiry / 2);
    const std::string body = R"({"batch":)" + std::to_string(wanted) + R"(,"expires":)" +
                             std::to_string(expiry.count()) + R"(,"idle_heartbeat":)" +
                             std::to_string(heartbeat.count()) + "}";
    connection().publish(
        {.subject = "$JS.API.CONSUMER.MSG.NEXT." + options_.stream + "." + place.name,
         .headers = {},
         .payload = body,
         .reply = place.inbox.subject + "." + std::to_string(place.generation)});
}

// Deliveries ---------------------------------------------------------------------------------

void NatsConsumer::Impl::receive(std::size_t index, const NatsMessage& message) {
    Place& place = places_[index];
    if (message.status() != 0) return receive_status(index, message);
    place.heard = now();
    if (place.requested > 0) --place.requested;
    // More can come than may, as what was asked for before a reconnect may come after it.
    if (credit_ == 0) return give_back(message);
    deliver(place, message, index);
    pull_soon();
}

void NatsConsumer::Impl::give_back(const NatsMessage& message) {
    if (message.reply().empty()) return;
    connection().publish(
        {.subject = std::string(message.reply()), .headers = {}, .payload = "-NAK"});
}

void NatsConsumer::Impl::receive_status(std::size_t index, const NatsMessage& message) {
    Place& place = places_[index];
    const std::string_view subject = message.subject();
    std::uint64_t generation = 0;
    const std::size_t dot = subject.rfind('.');
    std::from_chars(subject.data() + dot + 1, subject.data() + subject.size(), generation);
    if (dot == std::string_view::npos || generation != place.generation) return;
    place.heard = now();
    if (message.status() == 100) return;

    // What was asked for is over. The server says how much of it has not come.
    const std::string_view rest = message.header("Nats-Pending-Messages");
    std::size_t missing = place.requested;
    std::from_chars(rest.data(), rest.data() + rest.size(), missing);
    place.requested -= std::min(place.requested, missing);
    switch (message.status()) {
        case 404:  // there is nothing
        case 408:  // its time is over
            return pull_soon();
        case 409:
            // While another process takes it away and makes it anew, we do not.
            return place_is_gone(index, message.description() == "Consumer Deleted"
                                            ? Duration(std::chrono::seconds(1))
                                            : Duration(std::chrono::milliseconds(100)));
        default:
            return place_is_gone(index, std::chrono::milliseconds(500));
    }
}

void NatsConsumer::Impl::deliver(Place& place, const NatsMessage& message, std::size_t index) {
    const JsReceipt receipt = js_receipt(message.reply());
    if (receipt.deliveries == 0) return;
    if (stream_id_ == options_.stream_id()) options_.on_seq(receipt.seq);
    --credit_;
    // It may be one that is held already.
    if (is_partitioned()) place.held = 1;
    Delivery delivery;
    delivery.entry = entry_of(message);
    delivery.seq = receipt.seq;
    delivery.deliveries = static_cast<unsigned>(receipt.deliveries);
    delivery.token =
        token_of({.place = index, .epoch = epoch_, .address = std::string(message.reply())});
    batch_.push_back(std::move(delivery));
    if (batch_.size() != 1) return;
    net::post(connection().executor(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->flush();
    });
}

void NatsConsumer::Impl::flush() {
    if (is_closed_ || batch_.empty()) return;
    on_deliveries_(std::exchange(batch_, {}));
}

void NatsConsumer::Impl::settle(const std::string& token, const std::string& answer, bool is_last) {
    const DeliveryToken where = parse_token(token);
    if (where.address.empty() || where.epoch != epoch_) return;
    if (connection().is_connected()) {
        connection().publish({.subject = where.address, .headers = {}, .payload = answer});
    } else if (answer == acknowledged) {
        // Said late, it still counts. What was given back is given to somebody else by then.
        const std::lock_guard lock(mutex_);
        if (unsent_.size() < unsent_max) unsent_.emplace_back(where.address, answer);
    }
    if (!is_last || !is_partitioned()) return;
    net::post(connection().executor(), [weak = weak_from_this(), place = where.place] {
        const auto self = weak.lock();
        if (!self || self->is_closed_ || place >= self->places_.size()) return;
        self->places_[place].held = 0;
        self->pull_soon();
    });
}

void NatsConsumer::Impl::send_unsent() {
    std::deque<std::pair<std::string, std::string>> unsent;
    {
        const std::lock_guard lock(mutex_);
        unsent.swap(unsent_);
    }
    for (const auto& [address, answer] : unsent) {
        connection().publish({.subject = address, .headers = {}, .payload = answer});
    }
}

ConsumerFigures NatsConsumer::Impl::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

// The outside --------------------------------------------------------------------------------

NatsConsumer::NatsConsumer(JetStream api, Options options)
    : impl_(std::make_shared<Impl>(api, std::move(options))) {}

NatsConsumer::~NatsConsumer() {
    impl_->connection().sync([this] { impl_->close(); });
}

void NatsConsumer::start(OnDeliveries on_deliveries) { impl_->start(std::move(on_deliveries)); }

void NatsConsumer::allow(std::size_t deliveries) {
    net::post(impl_->connection().executor(),
              [impl = impl_, deliveries] { impl->allow(deliveries); });
}

void NatsConsumer::done(const std::string& token) {
    impl_->settle(token, std::string(acknowledged), true);
}

void NatsConsumer::later(const std::string& token, Duration delay) {
    const std::string answer = delay <= Duration::zero()
                                   ? "-NAK"
                                   : R"(-NAK {"delay": )" + std::to_string(delay.count()) + "}";
    impl_->settle(token, answer, true);
}

void NatsConsumer::working(const std::string& token) { impl_->settle(token, "+WPI", false); }
Duration NatsConsumer::working_interval() const noexcept { return impl_->working_interval(); }

void NatsConsumer::purge(std::function<void(std::int64_t)> on_purged) {
    net::post(impl_->connection().executor(),
              [impl = impl_, on_purged = std::move(on_purged)] { impl->purge(on_purged); });
}

void NatsConsumer::change(ConsumerOptions options) {
    net::post(impl_->connection().executor(),
              [impl = impl_, options = std::move(options)] { impl->change(options); });
}

ConsumerFigures NatsConsumer::figures() const { return impl_->figures(); }

}  // namespace fanfare
