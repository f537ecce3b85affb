#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/clock.h"
#include "nats/connection.h"

namespace fanfare {

/// Why JetStream has not done what it was asked for.
class JsError {
  public:
    JsError() = default;
    JsError(int status, int number, std::string text)
        : status_(status), number_(number), text_(std::move(text)) {}

    int status() const noexcept { return status_; }  ///< as of HTTP; 0: there is no answer
    int number() const noexcept { return number_; }  ///< JetStream's own: 10059 …; 0: none
    const std::string& text() const noexcept { return text_; }

    /// Nobody can be asked now: it may go better later.
    bool is_unavailable() const noexcept { return status_ == 0 || status_ == 503; }
    bool is_not_found() const noexcept { return status_ == 404; }

  private:
    int status_ = 0;
    int number_ = 0;
    std::string text_;
};

template <class T>
using JsResult = boost::system::result<T, JsError>;
template <class T>
using OnJs = std::function<void(JsResult<T>)>;

/// A stream in files with `limits` retention.
struct JsStreamConfig {
    std::string name;
    std::vector<std::string> subjects;
    bool discard_new = false;  ///< what comes when it is full is refused; else the oldest goes
    unsigned replicas = 1;
    std::uint64_t bytes_max = 0;  ///< 0: no bound; so are those below
    Duration age_max{};
    Duration duplicate_window{};        ///< 0: the server's, which is two minutes
    std::uint64_t per_subject_max = 0;  ///< of one subject
    bool allow_rollup = false;
    bool deny_delete = false;
    bool is_told = false;  ///< how it differs and will go on differing has been logged already
};

struct JsStreamInfo {
    std::string created;  ///< tells it from another one of the same name
    std::uint64_t first_seq = 0, last_seq = 0, messages = 0, bytes = 0;
};

struct JsConsumerConfig {
    std::string stream;
    std::string durable;  ///< empty: it goes when nobody uses it, and gets a name of its own
    std::string description;
    std::string filter;           ///< subject
    /// 0: only what comes after this. Not for durable ones, as servers do not say where that was.
    std::uint64_t first_seq = 0;
    bool is_acknowledged = true;
    Duration ack_wait = std::chrono::seconds(10);
    unsigned ack_pending_max = 0;                   ///< if acknowledged
    Duration kept_idle = std::chrono::seconds(30);  ///< if not durable: without pulls
    unsigned waiting_max = 512;                     ///< pulls at a time
};

struct JsConsumerInfo {
    std::string name;
    std::string description;
    std::string filter;
    std::uint64_t delivered_seq = 0;  ///< of the stream: the last one given out
    std::uint64_t ack_floor = 0;    ///< of the stream: all of the consumer's up to it are done with
    std::uint64_t ack_pending = 0;  ///< given out, not acknowledged
    std::uint64_t redelivered = 0;
    std::uint64_t pending = 0;  ///< not given out yet; an estimate
    std::uint64_t waiting = 0;  ///< pulls
    bool is_acknowledged = false;
};

struct JsConsumers {
    std::vector<JsConsumerInfo> known;
    std::vector<std::string> silent;  ///< names of those that nobody can tell of now
};

/// A message as it lies in a stream.
struct JsStored {
    std::uint64_t seq = 0;
    std::string subject;
    WallTime time{};
    NatsHeaders headers;
    std::string payload;
    std::string_view header(std::string_view name) const noexcept;
};

/// Which message of a stream. Any of these: the one with `seq`; the first one of `next_of` from
/// `seq` on (a subject, may hold wildcards); the last one of `last_of`.
struct JsWhich {
    std::uint64_t seq = 0;
    std::string next_of = {};
    std::string last_of = {};
};

/// What the reply address of a delivered message says of it; the address itself is where it is
/// acknowledged.
struct JsReceipt {
    std::uint64_t deliveries = 0;  ///< with this one; 0: it is no such address
    std::uint64_t seq = 0;         ///< of the stream
    std::uint64_t consumer_seq = 0;
    WallTime time{};            ///< when it came into the stream
    std::uint64_t pending = 0;  ///< that its consumer has yet to deliver
};
JsReceipt js_receipt(std::string_view reply) noexcept;

/// What a stream is rid of: all, or what is below `below_seq`, of all subjects or of `subject`.
struct JsPurge {
    std::uint64_t below_seq = 0;
    std::string subject = {};
};

/// How publishing to a stream has ended.
struct JsPubAck {
    std::uint64_t seq = 0;
    bool is_duplicate = false;
};

/// Whether the error says that the stream has no room (its bytes, its account's, or the disk's).
bool is_full(const JsError& error) noexcept;

/// JetStream's API as requests that take and give JSON. All callbacks come on the connection's
/// loop, once each, whatever happens.
class JetStream {
  public:
    explicit JetStream(NatsConnection& connection,
                       Duration timeout = std::chrono::seconds(5)) noexcept
        : connection_(connection), timeout_(timeout) {}

    NatsConnection& connection() const noexcept { return connection_; }

    /// Makes the stream if it is not there, and changes it if it is otherwise, which is logged:
    /// another process may want that. It never gets fewer replicas than it has.
    void ensure_stream(const JsStreamConfig& config, OnJs<JsStreamInfo> on_done) const;
    void stream_info(const std::string& stream, OnJs<JsStreamInfo> on_done) const;
    void delete_stream(const std::string& stream, OnJs<bool> on_done) const;
    /// Tells how many have gone.
    void purge(const std::string& stream, const JsPurge& what, OnJs<std::uint64_t> on_done) const;

    /// Answered by the stream's leader, so what it tells is not old.
    void get(const std::string& stream, const JsWhich& which, OnJs<JsStored> on_done) const;
    void delete_message(const std::string& stream, std::uint64_t seq, OnJs<bool> on_done) const;

    /// Makes it, or changes the bounds of a durable one that is there, which stays where it is.
    void ensure_consumer(const JsConsumerConfig& config, OnJs<JsConsumerInfo> on_done) const;
    void consumer_info(const std::string& stream, const std::string& consumer,
                       OnJs<JsConsumerInfo> on_done) const;
    /// True also if it was not there.
    void delete_consumer(const std::string& stream, const std::string& consumer,
                         OnJs<bool> on_done) const;
    /// All of a stream's but those that are not durable and made by ensure_consumer(): each of them
    /// is on one server, and as silent as that.
    void consumers(const std::string& stream, OnJs<JsConsumers> on_done) const;

    /// To a subject of a stream's.
    void publish(const NatsOutgoing& message, Duration timeout, OnJs<JsPubAck> on_done) const;

  private:
    NatsConnection& connection_;
    Duration timeout_;
};

}  // namespace fanfare
