#include "nats/connection.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <charconv>

#include "nats/connection_impl.h"

namespace fanfare {

namespace {

NatsMessage make_message(const NatsOutgoing& from, const std::string& reply) {
    natsMsg* raw = nullptr;
    natsMsg_Create(&raw, from.subject.c_str(), reply.empty() ? nullptr : reply.c_str(),
                   from.payload.data(), static_cast<int>(from.payload.size()));
    if (raw == nullptr) throw std::bad_alloc();
    NatsMessage message(raw);
    for (const auto& [name, value] : from.headers) {
        if (natsMsgHeader_Set(raw, name.c_str(), value.c_str()) != NATS_OK) throw std::bad_alloc();
    }
    return message;
}

}  // namespace

// Sending ------------------------------------------------------------------------------------

void NatsConnection::Impl::send(const NatsOutgoing& message, Duration timeout, OnReply on_reply) {
    Sending sending;
    sending.timeout = timeout;
    if (on_reply) {
        sending.token = next_token_.fetch_add(1, std::memory_order_relaxed);
        sending.message = make_message(message, inbox_prefix_ + std::to_string(sending.token));
        sending.on_reply = std::move(on_reply);
    } else {
        sending.message = make_message(message, message.reply);
    }
    if (outgoing_.push(std::move(sending))) net::post(loop_, [this] { send_all(); });
}

void NatsConnection::Impl::send_all() {
    for (Sending& sending : outgoing_.take()) send_one(std::move(sending));
}

void NatsConnection::Impl::send_one(Sending sending) {
    if (is_ending_) return;
    if (!is_connected_) {
        reject(std::move(sending.on_reply), NatsOutcome::unavailable);
        return;
    }
    const natsStatus status = natsConnection_PublishMsg(connection_, sending.message.raw());
    if (sending.token == 0) return;
    if (status != NATS_OK) {
        reject(std::move(sending.on_reply),
               status == NATS_MAX_PAYLOAD ? NatsOutcome::too_large : NatsOutcome::unavailable);
        return;
    }
    const std::uint64_t token = sending.token;
    auto waiting =
        std::make_unique<Waiting>(std::move(sending.on_reply), [this, token] { expire(token); });
    deadlines_->of(sending.timeout).arm(waiting->timeout);
    waiting_.emplace(token, std::move(waiting));
}

void NatsConnection::Impl::reject(OnReply on_reply, NatsOutcome outcome) {
    if (!on_reply) return;
    net::post(loop_, [this, outcome, on_reply = std::move(on_reply)] {
        if (!is_ending_) on_reply(NatsReply{.outcome = outcome, .message = {}});
    });
}

void NatsConnection::Impl::expire(std::uint64_t token) {
    const auto found = waiting_.find(token);
    // This is called by what it takes out, which therefore must live a little longer.
    net::post(loop_, [this, waiting = std::move(found->second)] {
        if (is_ending_) return;
        waiting->on_reply(NatsReply{.outcome = NatsOutcome::timed_out, .message = {}});
    });
    waiting_.erase(found);
}

// Receiving ----------------------------------------------------------------------------------

void NatsConnection::Impl::on_message(natsConnection*, natsSubscription*, natsMsg* message,
                                      void* closure) {
    Impl& impl = of(closure);
    if (impl.incoming_.push({.inbox = 0, .message = NatsMessage(message)})) {
        net::post(impl.loop_, [&impl] { impl.receive_all(); });
    }
}

void NatsConnection::Impl::on_inbox_message(natsConnection*, natsSubscription*, natsMsg* message,
                                            void* closure) {
    const Subscribed& inbox = *static_cast<Subscribed*>(closure);
    Impl& impl = *inbox.impl;
    if (impl.incoming_.push({.inbox = inbox.token, .message = NatsMessage(message)})) {
        net::post(impl.loop_, [&impl] { impl.receive_all(); });
    }
}

void NatsConnection::Impl::receive_all() {
    for (Incoming& incoming : incoming_.take()) receive(std::move(incoming));
}

void NatsConnection::Impl::receive(Incoming incoming) {
    if (incoming.inbox == 0) return receive_reply(std::move(incoming.message));
    const auto inbox = inboxes_.find(incoming.inbox);
    if (inbox == inboxes_.end()) return;
    const std::shared_ptr<const OnMessage> on_message = inbox->second->on_message;
    if (on_message) (*on_message)(std::move(incoming.message));
}

void NatsConnection::Impl::receive_reply(NatsMessage message) {
    const std::string_view subject = message.subject();
    if (subject.size() <= inbox_prefix_.size()) return;
    std::uint64_t token = 0;
    std::from_chars(subject.data() + inbox_prefix_.size(), subject.data() + subject.size(), token);
    const auto found = waiting_.find(token);
    if (found == waiting_.end()) return;  // it comes too late
    const std::unique_ptr<Waiting> waiting = std::move(found->second);
    waiting_.erase(found);
    NatsReply reply{.outcome = NatsOutcome::answered, .message = std::move(message)};
    if (reply.message.status() == 503) reply.outcome = NatsOutcome::unavailable;
    waiting->on_reply(std::move(reply));
}

// Inboxes ------------------------------------------------------------------------------------

NatsConnection::Inbox NatsConnection::Impl::open_inbox(OnMessage on_message) {
    const std::uint64_t token = next_token_.fetch_add(1, std::memory_order_relaxed);
    const std::string subject = inbox_prefix_ + "i." + std::to_string(token);
    const std::string listened = subject + ".*";
    auto shared = std::make_shared<const OnMessage>(std::move(on_message));
    net::dispatch(loop_, [this, token, listened, shared] {
        if (is_ending_) return;
        auto inbox = std::make_unique<Subscribed>();
        inbox->impl = this;
        inbox->token = token;
        inbox->subject = listened;
        inbox->on_message = shared;
        if (connection_ != nullptr) subscribe(*inbox);
        inboxes_.emplace(token, std::move(inbox));
    });
    return {token, subject};
}

void NatsConnection::Impl::subscribe(Subscribed& inbox) {
    const natsStatus status = natsConnection_Subscribe(
        &inbox.subscription, connection_, inbox.subject.c_str(), on_inbox_message, &inbox);
    if (status != NATS_OK) return;  // the connection was closed, and will be opened again
    natsSubscription_SetPendingLimits(inbox.subscription, -1, -1);
    if (natsSubscription_SetOnCompleteCB(inbox.subscription, on_inbox_complete, &inbox) !=
        NATS_OK) {
        natsSubscription_Destroy(std::exchange(inbox.subscription, nullptr));
        return;
    }
    const std::lock_guard lock(mutex_);
    ++open_parts_;
}

void NatsConnection::Impl::close_inbox(std::uint64_t token) {
    net::dispatch(loop_, [this, token] {
        const auto found = inboxes_.find(token);
        if (is_ending_ || found == inboxes_.end()) return;
        std::unique_ptr<Subscribed> inbox = std::move(found->second);
        inboxes_.erase(found);
        if (inbox->subscription == nullptr) return;
        natsSubscription* const subscription = inbox->subscription;
        closing_.emplace(token, std::move(inbox));
        natsSubscription_Unsubscribe(subscription);
    });
}

void NatsConnection::Impl::on_inbox_complete(void* closure) {
    const Subscribed& inbox = *static_cast<Subscribed*>(closure);
    Impl& impl = *inbox.impl;
    net::post(impl.loop_, [&impl, token = inbox.token] { impl.inbox_is_complete(token); });
    on_complete(&impl);
}

void NatsConnection::Impl::inbox_is_complete(std::uint64_t token) {
    if (const auto closed = closing_.find(token); closed != closing_.end()) {
        natsSubscription_Destroy(closed->second->subscription);
        closing_.erase(closed);
        return;
    }
    // The connection was closed under it.
    const auto open = inboxes_.find(token);
    if (open == inboxes_.end()) return;
    natsSubscription_Destroy(std::exchange(open->second->subscription, nullptr));
    if (connection_ != nullptr && !is_ending_ && is_up_) subscribe(*open->second);
}

std::uint64_t NatsConnection::Impl::watch(OnState on_state) {
    const std::uint64_t id = next_token_.fetch_add(1, std::memory_order_relaxed);
    auto shared = std::make_shared<const OnState>(std::move(on_state));
    net::post(loop_, [this, id, shared] {
        if (is_ending_) return;
        watchers_.emplace(id, shared);
        (*shared)(is_connected_);
    });
    return id;
}

std::string NatsConnection::Impl::server() const {
    const std::lock_guard lock(mutex_);
    return server_;
}

NatsConnection::NatsConnection(Clock& clock, Log& log, NatsConnectionOptions options)
    : impl_(std::make_unique<Impl>(clock, log, std::move(options))) {}

NatsConnection::~NatsConnection() = default;

void NatsConnection::start() { impl_->start(); }
Executor NatsConnection::executor() const { return impl_->loop_.get_executor(); }
Clock& NatsConnection::clock() const noexcept { return impl_->clock_; }
Log& NatsConnection::log() const noexcept { return impl_->log_; }
void NatsConnection::stop() { impl_->stop(); }
void NatsConnection::sync(const std::function<void()>& work) { impl_->sync(work); }

void NatsConnection::publish(const NatsOutgoing& message) { impl_->send(message, {}, nullptr); }

void NatsConnection::request(const NatsOutgoing& message, Duration timeout, OnReply on_reply) {
    impl_->send(message, timeout, std::move(on_reply));
}

NatsConnection::Inbox NatsConnection::open_inbox(OnMessage on_message) {
    return impl_->open_inbox(std::move(on_message));
}

void NatsConnection::close_inbox(std::uint64_t token) { impl_->close_inbox(token); }
std::uint64_t NatsConnection::watch(OnState on_state) { return impl_->watch(std::move(on_state)); }
void NatsConnection::unwatch(std::uint64_t id) {
    sync([this, id] { impl_->unwatch(id); });
}

bool NatsConnection::is_connected() const noexcept { return impl_->is_connected_; }
std::uint64_t NatsConnection::connects() const noexcept { return impl_->connects_; }
std::string NatsConnection::server() const { return impl_->server(); }
std::size_t NatsConnection::payload_max() const noexcept { return impl_->payload_max_; }

}  // namespace fanfare
