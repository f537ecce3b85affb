#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>

#include "base/deadlines.h"
#include "base/task_group.h"
#include "fanfare/broadcaster.h"
#include "http/net_stream.h"
#include "http/tls.h"
#include "server/answer.h"
#include "server/turn_limit.h"

namespace fanfare {

class Session;

/// Says that a connection has ended, when it is destroyed. Moves, never copies.
class ConnectionSlot {
  public:
    explicit ConnectionSlot(std::function<void()> give_back) : give_back_(std::move(give_back)) {}
    ConnectionSlot(ConnectionSlot&& other) noexcept
        : give_back_(std::exchange(other.give_back_, nullptr)) {}
    ConnectionSlot& operator=(ConnectionSlot&&) = delete;
    ~ConnectionSlot() {
        if (give_back_) give_back_();
    }

  private:
    std::function<void()> give_back_;
};

/// A connection that has just been accepted.
struct Accepted {
    StreamSocket socket;
    Peer peer;
    ConnectionSlot slot;
};

/// The sessions of one listener on one shard, and what they share. Shard thread.
class SessionHost {
  public:
    SessionHost(std::string component, Shard& shard, const ListenerOptions& options,
                RequestHandler& handler);
    ~SessionHost();

    /// Must be called before the first session if the listener speaks TLS.
    void use_tls(TlsContextPtr tls) { tls_ = std::move(tls); }

    /// Serves the connection until it ends.
    void open(Accepted accepted);
    /// Answers 503 and ends the connection.
    void turn_away(Accepted accepted);

    /// Idle connections end now, the others after their next answer.
    void stop();
    /// Ends everything at once.
    void cut();
    /// Ends when all sessions have; nothing of theirs keeps the loop from ending then.
    awaitable<void> join();

    Executor executor() const noexcept { return shard_.executor(); }
    IngestMetrics& metrics() noexcept { return metrics_; }

  private:
    friend class Session;
    using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

    const std::string component_;
    Shard& shard_;
    const ListenerOptions& options_;
    RequestHandler& handler_;
    TlsContextPtr tls_;
    IngestMetrics metrics_;
    DateText date_;
    TurnLimit turns_;
    std::unique_ptr<Sessions> sessions_;
    bool is_stopping_ = false;
    bool is_cut_ = false;
    TaskGroup tasks_;
};

}  // namespace fanfare
