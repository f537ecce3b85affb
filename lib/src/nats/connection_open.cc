#include <array>
#include <boost/asio/post.hpp>
#include <future>

#include "base/exceptions.h"
#include "nats/cnats_options.h"
#include "nats/connection_impl.h"

namespace fanfare {

namespace {

constexpr int flush_timeout_ms = 500;
/// For cnats to say that the last of its parts has ended.
constexpr Duration end_limit = std::chrono::seconds(5);
constexpr Duration reopen_delay = std::chrono::seconds(1);

/// The URL without what stands before an `@`.
std::string without_credentials(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t at = url.rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(url);
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

std::string without_credentials(const std::vector<std::string>& urls) {
    std::string text;
    for (const std::string& url : urls) {
        text += (text.empty() ? "" : ", ") + without_credentials(std::string_view(url));
    }
    return text;
}

/// Without the place in cnats that stands before it.
std::string without_place(std::string_view text) {
    const std::size_t end = text.find("): ");
    if (!text.starts_with('(') || end == std::string_view::npos) return std::string(text);
    return std::string(text.substr(end + 3));
}

/// What the server has said last of this connection, or what the status means.
std::string problem_of(natsConnection* connection, natsStatus status) {
    const char* text = nullptr;
    natsConnection_GetLastError(connection, &text);
    return text == nullptr || *text == '\0' ? natsStatus_GetText(status) : without_place(text);
}

/// What a call of this thread has failed with.
std::string problem_of(natsStatus status, bool is_encrypted) {
    natsStatus last = NATS_OK;
    const char* text = nats_GetLastError(&last);
    std::string problem = natsStatus_GetText(status);
    if (text != nullptr && *text != '\0') problem = without_place(text);
    // It hangs up on whoever shows none.
    const bool is_hung_up_on = status == NATS_PROTOCOL_ERROR || status == NATS_IO_ERROR;
    if (is_hung_up_on && is_encrypted) problem += " (does the server want a client certificate?)";
    return problem;
}

}  // namespace

NatsConnection::Impl::Impl(Clock& clock, Log& log, NatsConnectionOptions options)
    : clock_(clock), log_(log), options_(std::move(options)) {
    // Messages can be made and destroyed before a connection has done this.
    nats_Open(-1);
    deadlines_ = std::make_unique<Deadlines>(clock_, loop_.get_executor());
    reopen_ = clock_.make_alarm(loop_.get_executor());
    thread_ = std::thread([this] {
        run();
        nats_ReleaseThreadMemory();
    });
}

/// What a handler throws, for want of memory say, ends neither the loop nor the process.
void NatsConnection::Impl::run() {
    NatsMessage::DestroyBatch batch;
    for (;;) {
        try {
            loop_.run();
            return;
        } catch (...) {
            log_.error("nats", "something failed, will go on",
                       {{"error", describe(std::current_exception())}});
        }
    }
}

NatsConnection::Impl::~Impl() { stop(); }

void NatsConnection::Impl::stop() {
    if (!thread_.joinable()) return;
    bool is_up = false;
    sync([this] {
        is_ending_ = true;
        is_connected_ = false;
        waiting_.clear();
        for (const auto& [token, inbox] : inboxes_) inbox->on_message.reset();
        watchers_.clear();
        deadlines_.reset();
        reopen_.reset();
    });
    if (connector_.joinable()) connector_.join();
    sync([&] { is_up = is_up_; });  // adopt() has been run
    end_cnats(is_up);
    // Nothing is waited for that others still have on the loop.
    loop_.stop();
    thread_.join();
}

void NatsConnection::Impl::end_cnats(bool is_up) {
    if (connection_ == nullptr) return;
    // What was said last, such as that deliveries are done with, is to be heard.
    if (is_up) natsConnection_FlushTimeout(connection_, flush_timeout_ms);
    natsConnection_Close(connection_);
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_parts_ == 0; });
    }
    natsSubscription_Destroy(subscription_);
    natsConnection_Destroy(connection_);
}

void NatsConnection::Impl::start() {
    net::post(loop_, [this] { open(); });
}

void NatsConnection::Impl::sync(const std::function<void()>& work) {
    if (!thread_.joinable() || std::this_thread::get_id() == thread_.get_id()) {
        work();
        return;
    }
    std::promise<void> done;
    net::post(loop_, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

void NatsConnection::Impl::open() {
    if (is_ending_) return;
    if (connector_.joinable()) connector_.join();  // it has posted what called this, and ends
    connector_ = std::thread([this] {
        connect();
        nats_ReleaseThreadMemory();
    });
}

void NatsConnection::Impl::connect() {
    const CnatsHooks hooks{.on_connected = on_connected,
                           .on_lost = on_lost,
                           .on_closed = on_closed,
                           .on_error = on_error,
                           .closure = this};
    const Result<CnatsOptions> options = make_cnats_options(options_, hooks);
    if (!options) {
        net::post(loop_, [this, text = options.error().message()] { could_not_connect(text); });
        return;
    }
    natsConnection* connection = nullptr;
    const natsStatus status = natsConnection_Connect(&connection, options->get());
    if (status != NATS_OK) {
        const std::string text = problem_of(status, wants_tls(options_));
        net::post(loop_, [this, text] { could_not_connect(text); });
        return;
    }
    natsSubscription* subscription = nullptr;
    const std::string subject = inbox_prefix_ + "*";
    natsConnection_Subscribe(&subscription, connection, subject.c_str(), on_message, this);
    unsigned parts = 1;
    if (subscription != nullptr) {
        natsSubscription_SetPendingLimits(subscription, -1, -1);
        if (natsSubscription_SetOnCompleteCB(subscription, on_complete, this) == NATS_OK) ++parts;
    }
    {
        const std::lock_guard lock(mutex_);
        open_parts_ += parts;
    }
    net::post(loop_, [=, this] { adopt(connection, subscription); });
}

void NatsConnection::Impl::could_not_connect(const std::string& problem) {
    if (is_ending_) return;
    if (std::exchange(last_problem_, problem) != problem) {
        log_.warn("nats", "cannot connect, will retry",
                  {{"servers", without_credentials(options_.servers)}, {"error", problem}});
    }
    open_later();
}

void NatsConnection::Impl::open_later() {
    reopen_->set(clock_.now() + reopen_delay, [this] { open(); });
}

void NatsConnection::Impl::adopt(natsConnection* connection, natsSubscription* subscription) {
    connection_ = connection;
    subscription_ = subscription;
    if (is_ending_) return;
    for (const auto& [token, inbox] : inboxes_) {
        if (inbox->subscription == nullptr) subscribe(*inbox);
    }
    if (is_closed_) {
        closed();
    } else if (natsConnection_Status(connection) == NATS_CONN_STATUS_CONNECTED) {
        up();
    }
}

void NatsConnection::Impl::up() {
    is_up_ = true;
    if (connection_ == nullptr || is_ending_) return;
    if (is_connected_) lost();
    is_up_ = true;
    std::array<char, 2048> url{};
    natsConnection_GetConnectedUrl(connection_, url.data(), url.size());
    const std::string server = without_credentials(url.data());
    {
        const std::lock_guard lock(mutex_);
        server_ = server;
    }
    payload_max_ = static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_));
    last_problem_.clear();
    last_complaint_.clear();
    ++connects_;
    is_connected_ = true;
    log_.info("nats", "connected", {{"server", server}});
    tell_state();
}

void NatsConnection::Impl::lost() {
    is_up_ = false;
    if (!is_connected_ || is_ending_) return;
    is_connected_ = false;
    {
        const std::lock_guard lock(mutex_);
        server_.clear();
    }
    log_.warn("nats", "connection lost, will connect again", {});
    // An answer to what was asked would go to the connection that is gone.
    for (auto& [token, waiting] : std::exchange(waiting_, {})) {
        reject(std::move(waiting->on_reply), NatsOutcome::unavailable);
    }
    tell_state();
}

void NatsConnection::Impl::closed() {
    if (is_ending_) return;
    is_closed_ = connection_ == nullptr;
    if (is_closed_) return;
    lost();
    // cnats has given up; we do not.
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, end_limit, [this] { return open_parts_ == 0; });
    }
    natsSubscription_Destroy(std::exchange(subscription_, nullptr));
    natsConnection_Destroy(std::exchange(connection_, nullptr));
    open_later();
}

void NatsConnection::Impl::tell_state() {
    const auto watchers = watchers_;
    for (const auto& [id, on_state] : watchers) {
        if (watchers_.count(id) != 0) (*on_state)(is_connected_);
    }
}

void NatsConnection::Impl::on_connected(natsConnection*, void* closure) {
    net::post(of(closure).loop_, [&impl = of(closure)] { impl.up(); });
}

void NatsConnection::Impl::on_lost(natsConnection*, void* closure) {
    net::post(of(closure).loop_, [&impl = of(closure)] { impl.lost(); });
}

void NatsConnection::Impl::on_closed(natsConnection*, void* closure) {
    Impl& impl = of(closure);
    net::post(impl.loop_, [&impl] { impl.closed(); });
    on_complete(closure);
}

void NatsConnection::Impl::on_complete(void* closure) {
    Impl& impl = of(closure);
    const std::lock_guard lock(impl.mutex_);
    --impl.open_parts_;
    impl.changed_.notify_all();
}

void NatsConnection::Impl::on_error(natsConnection* connection, natsSubscription*,
                                    natsStatus status, void* closure) {
    const std::string text = problem_of(connection, status);
    net::post(of(closure).loop_, [&impl = of(closure), text] {
        if (impl.is_ending_ || std::exchange(impl.last_complaint_, text) == text) return;
        impl.log_.warn("nats", "the server complains", {{"error", text}});
    });
}

}  // namespace fanfare
