#pragma once

#include <nats/nats.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/deadlines.h"
#include "base/uuid.h"
#include "nats/connection.h"

namespace fanfare {

/// What threads hand to the loop: it is woken once for all that come until it takes them.
template <class T>
class Inlet {
  public:
    /// Whether the loop is to be woken.
    bool push(T item) {
        const std::lock_guard lock(mutex_);
        items_.push_back(std::move(item));
        return items_.size() == 1;
    }
    std::vector<T> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(items_, {});
    }

  private:
    std::mutex mutex_;
    std::vector<T> items_;
};

class NatsConnection::Impl {
  public:
    Impl(Clock& clock, Log& log, NatsConnectionOptions options);
    ~Impl();

    void start();
    void stop();
    void sync(const std::function<void()>& work);
    void send(const NatsOutgoing& message, Duration timeout, OnReply on_reply);
    Inbox open_inbox(OnMessage on_message);
    void close_inbox(std::uint64_t token);
    std::uint64_t watch(OnState on_state);
    void unwatch(std::uint64_t id) { watchers_.erase(id); }
    std::string server() const;

    Clock& clock_;
    Log& log_;
    net::io_context loop_{1};
    std::atomic<bool> is_connected_ = false;
    std::atomic<std::uint64_t> connects_ = 0;
    std::atomic<std::size_t> payload_max_ = 0;

  private:
    /// A message that waits to be sent, as cnats wants it.
    struct Sending {
        NatsMessage message;
        std::uint64_t token = 0;  ///< 0: there is no answer
        Duration timeout{};
        OnReply on_reply;
    };
    struct Waiting {
        Waiting(OnReply reply, std::function<void()> expire)
            : on_reply(std::move(reply)), timeout(std::move(expire)) {}
        OnReply on_reply;
        Timeout timeout;
    };

    /// An inbox, which cnats has as a subscription, with this as its closure.
    struct Subscribed {
        Impl* impl = nullptr;
        std::uint64_t token = 0;
        std::string subject;
        std::shared_ptr<const OnMessage> on_message;
        natsSubscription* subscription = nullptr;  ///< null before there is a connection
    };
    struct Incoming {
        std::uint64_t inbox = 0;  ///< 0: it is the answer to a request
        NatsMessage message;
    };

    static Impl& of(void* closure) { return *static_cast<Impl*>(closure); }
    static void on_connected(natsConnection* connection, void* closure);
    static void on_lost(natsConnection* connection, void* closure);
    static void on_closed(natsConnection* connection, void* closure);
    static void on_error(natsConnection* connection, natsSubscription* subscription,
                         natsStatus status, void* closure);
    static void on_message(natsConnection* connection, natsSubscription* subscription,
                           natsMsg* message, void* closure);
    static void on_complete(void* closure);
    static void on_inbox_message(natsConnection* connection, natsSubscription* subscription,
                                 natsMsg* message, void* closure);
    static void on_inbox_complete(void* closure);

    // On the loop.
    void open();
    void open_later();
    void adopt(natsConnection* connection, natsSubscription* subscription);
    void could_not_connect(const std::string& problem);
    void up();
    void lost();
    void closed();
    void tell_state();
    void send_all();
    void send_one(Sending sending);
    void reject(OnReply on_reply, NatsOutcome outcome);
    void expire(std::uint64_t token);
    void receive_all();
    void receive(Incoming incoming);
    void receive_reply(NatsMessage message);
    void subscribe(Subscribed& inbox);
    void inbox_is_complete(std::uint64_t token);

    void run();
    void connect();
    void end_cnats(bool is_up);

    const NatsConnectionOptions options_;
    const std::string inbox_prefix_ = "_INBOX." + make_uuid() + ".";
    net::executor_work_guard<net::io_context::executor_type> work_{loop_.get_executor()};
    std::atomic<std::uint64_t> next_token_ = 1;
    Inlet<Sending> outgoing_;
    Inlet<Incoming> incoming_;

    // On the loop.
    bool is_ending_ = false;
    bool is_up_ = false;      ///< cnats has told so; it may do so before adopt()
    bool is_closed_ = false;  ///< likewise
    natsConnection* connection_ = nullptr;
    natsSubscription* subscription_ = nullptr;
    std::unique_ptr<Deadlines> deadlines_;
    std::unique_ptr<Alarm> reopen_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Waiting>> waiting_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Subscribed>> inboxes_;
    /// Those that were closed, until cnats has ended them.
    std::unordered_map<std::uint64_t, std::unique_ptr<Subscribed>> closing_;
    std::map<std::uint64_t, std::shared_ptr<const OnState>> watchers_;
    std::string last_problem_;    ///< that is why there is no connection, as it was logged
    std::string last_complaint_;  ///< of the server's, likewise

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    unsigned open_parts_ = 0;  ///< connection and subscription of cnats that may still call
    std::string server_;

    std::thread connector_;  ///< while connecting, which blocks
    std::thread thread_;
};

}  // namespace fanfare
