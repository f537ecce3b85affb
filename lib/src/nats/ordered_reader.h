#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "nats/jetstream.h"

namespace fanfare {

/// Tells of what lies in a stream, in order and without gaps, beginning where it is told to, and
/// of what comes then, whatever happens to servers and connections. A consumer that loses
/// something, or is silent for too long, is replaced by one that goes on behind the last message.
///
/// It waits for one message, and from then on asks for all there is once in a while: many that come
/// together cost a fraction of as many that come one by one, each of which would wake three
/// threads.
///
/// Lives on the connection's loop.
class OrderedReader : public std::enable_shared_from_this<OrderedReader> {
  public:
    struct Options {
        std::string stream;
        std::string filter;  ///< subject
        Duration heartbeat = std::chrono::seconds(2);
        /// While messages come: so often they are asked for, so many at a time.
        Duration interval = std::chrono::milliseconds(20);
        unsigned batch_max = 256;
        /// A stream that ends before what was read counts as another one only when it has been
        /// so for this long: a server that has just begun to lead may not have its end yet.
        Duration believed_after = std::chrono::seconds(10);
    };
    struct Callbacks {
        /// The stream is another one than before, or it is the first time: the seq to begin with.
        std::function<std::uint64_t(const JsStreamInfo&)> on_stream;
        std::function<void(std::uint64_t seq, NatsMessage)> on_message;
        /// All that lay there when it was last begun with is told. May be null.
        std::function<void()> on_caught_up = nullptr;
    };

    static std::shared_ptr<OrderedReader> make(JetStream api, Options options, Callbacks callbacks);

    /// Begins, as soon as there is a connection.
    void start();
    /// Nothing is told any more.
    void close();

  private:
    OrderedReader(JetStream api, Options options, Callbacks callbacks);

    void set_connected(bool is_connected);
    void restart();
    void restart_after(Duration delay);
    bool is_believed(const JsStreamInfo& info);
    void create(const JsStreamInfo& info);
    void caught_up();
    void created(const JsResult<JsConsumerInfo>& info);
    void pull(unsigned batch, bool waits);
    void pull_after_interval();
    void receive(NatsMessage message);
    void receive_status(const NatsMessage& message);
    void end_batch();
    void drop_consumer();

    JetStream api_;
    const Options options_;
    const Callbacks callbacks_;
    const std::unique_ptr<Alarm> alarm_;       ///< to begin anew
    const std::unique_ptr<Alarm> pull_alarm_;  ///< to ask for more
    std::uint64_t watch_ = 0;
    bool is_closed_ = false;
    bool is_connected_ = false;
    std::uint64_t round_ = 0;  ///< answers to what an earlier one has asked are ignored
    std::string stream_id_;
    std::uint64_t next_ = 0;                  ///< seq
    std::uint64_t consumer_seq_ = 0;          ///< of the last message
    std::optional<TimePoint> shorter_since_;  ///< the stream's end is before next_
    bool is_behind_ = false;                  ///< on_caught_up is to be called
    TimePoint begun_at_{};                    ///< with this consumer
    std::uint64_t last_seq_ = 0;              ///< of the stream then
    unsigned asked_ = 0;                      ///< messages that the last pull may still bring
    unsigned came_ = 0;                       ///< that it has brought
    NatsConnection::Inbox inbox_{};
    std::string consumer_;
    std::string last_problem_;  ///< as it was logged
};

}  // namespace fanfare
