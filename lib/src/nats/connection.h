#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/log.h"

struct __natsMsg;  // of cnats, whose header stays in .cc files

namespace fanfare {

/// In their order. A value is one line of printable ASCII (entry_codec.h encodes other ones).
using NatsHeaders = std::vector<std::pair<std::string, std::string>>;

/// A message that has come. Belongs to whoever has it; views are valid as long as it is.
class NatsMessage {
  public:
    NatsMessage() = default;
    explicit NatsMessage(__natsMsg* message) noexcept : message_(message) {}

    std::string_view subject() const noexcept;
    std::string_view reply() const noexcept;
    std::string_view payload() const noexcept;
    /// The header's first value as it was sent, or nothing. Names are compared as they are.
    std::string_view header(const char* name) const noexcept;
    /// Of a message that the server itself has made, which has no payload: 100, 404, 408, 409, 503;
    /// else 0.
    int status() const noexcept;
    /// For cnats.
    __natsMsg* raw() const noexcept { return message_.get(); }
    /// What the server says of the status.
    std::string_view description() const noexcept { return header("Description"); }

    /// During its life, what is destroyed on this thread, come or to be sent, is given back to
    /// cnats many at a time, and the rest at its end: a thread of cnats' frees messages, and is
    /// woken for each that does not follow closely on another. One at a time per thread. Up to 63
    /// messages, of less than 256 KiB of payload and what their headers take, stay while nothing
    /// comes.
    class DestroyBatch {
      public:
        DestroyBatch();
        ~DestroyBatch();
        DestroyBatch(const DestroyBatch&) = delete;
        DestroyBatch& operator=(const DestroyBatch&) = delete;

      private:
        friend class NatsMessage;
        void take(__natsMsg* message) noexcept;
        void give_back() noexcept;

        std::vector<__natsMsg*> messages_;
        std::size_t bytes_ = 0;  ///< of their payloads
    };

  private:
    struct Destroy {
        void operator()(__natsMsg* message) const noexcept;
    };
    std::unique_ptr<__natsMsg, Destroy> message_;
};

/// How a request has ended.
enum class NatsOutcome : std::uint8_t {
    answered,
    timed_out,    ///< it may have come there or not
    unavailable,  ///< there is no connection, or it has been lost since, or nobody listens there
    too_large,    ///< for the server
};

struct NatsReply {
    NatsOutcome outcome = NatsOutcome::unavailable;
    NatsMessage message;  ///< if answered
};

/// What is sent.
struct NatsOutgoing {
    std::string subject;
    NatsHeaders headers;
    std::string_view payload;  ///< copied during the call
    std::string reply = {};    ///< where an answer is to go; request() has its own
};

struct NatsConnectionOptions {
    std::vector<std::string> servers;  ///< URLs; may hold credentials
    std::string credentials_file;      ///< none if empty; so are those below
    std::string ca_file, cert_file, key_file;
    bool insecure_skip_verify = false;
    std::string name = "fanfare";  ///< that the server shows
    Duration connect_timeout = std::chrono::seconds(2);
    Duration reconnect_wait = std::chrono::milliseconds(250);  ///< and half as much at random
    Duration ping_interval = std::chrono::seconds(3);  ///< given up after two without an answer
};

/// The connection to the NATS servers, the only one: connects for ever, also when none is there at
/// the start. It has a loop with one thread of its own: all its callbacks come there, never from
/// within a call, and what is built on it lives there, too. Any thread; nothing blocks, but for
/// sync() and the destructor. Must outlive all that is built on it.
class NatsConnection {
  public:
    using OnReply = std::function<void(NatsReply)>;
    using OnMessage = std::function<void(NatsMessage)>;
    using OnState = std::function<void(bool is_connected)>;

    NatsConnection(Clock& clock, Log& log, NatsConnectionOptions options);
    /// What still waits for an answer is not called.
    ~NatsConnection();
    NatsConnection(const NatsConnection&) = delete;
    NatsConnection& operator=(const NatsConnection&) = delete;

    /// Begins to connect; once.
    void start();

    /// Ends it, when what was said last is sent: nothing is called any more, and nothing sent. What
    /// is built on it may be used and destroyed later. Not on the loop.
    void stop();

    Executor executor() const;
    Clock& clock() const noexcept;
    Log& log() const noexcept;

    /// Runs `work` on the loop and waits for it; at once if this is the loop's thread. For the
    /// destructors of what lives on the loop.
    void sync(const std::function<void()>& work);

    /// Sends a message without an answer. It is lost if there is no connection.
    void publish(const NatsOutgoing& message);

    /// Sends a message and waits for one answer. `on_reply` is called once.
    void request(const NatsOutgoing& message, Duration timeout, OnReply on_reply);

    /// What a subscription of this connection's listens to. A message that JetStream delivers there
    /// has the subject that it has in its stream.
    struct Inbox {
        std::uint64_t token = 0;
        std::string subject;
    };
    /// Listens to all that has one more word, behind a dot, than the subject that it returns.
    /// It stays over a reconnect. `on_message` is not called any more once close_inbox() was called
    /// on the loop.
    Inbox open_inbox(OnMessage on_message);
    void close_inbox(std::uint64_t token);

    /// `on_state` is called soon with how it is now, and then at every change; on the loop.
    /// Returns what unwatch() is to be given; after that, on the loop, it is not called any more.
    std::uint64_t watch(OnState on_state);
    void unwatch(std::uint64_t id);

    bool is_connected() const noexcept;
    std::uint64_t connects() const noexcept;   ///< successful ones, the first included
    std::string server() const;                ///< without credentials; empty if there is none
    std::size_t payload_max() const noexcept;  ///< headers included; 0 before the first connect

  private:
    class Impl;
    const std::unique_ptr<Impl> impl_;
};

}  // namespace fanfare
