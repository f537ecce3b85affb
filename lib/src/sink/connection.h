#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>

#include "base/deadlines.h"
#include "http/byte_stream.h"
#include "sink/http_plan.h"

namespace fanfare {

/// The one connection of an HttpSink, kept alive between attempts, with the time limits on it.
/// Shard thread.
class Connection {
  public:
    /// `plan` and what `context` holds must outlive the connection.
    Connection(const HttpPlan& plan, const SinkContext& context);

    /// The limits of one attempt: the time runs from construction to destruction, and a connection
    /// that was not kept by then is closed.
    class Use {
      public:
        explicit Use(Connection& connection);
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

        /// Whether there is a connection from before that looks alive and is not too old. Looks
        /// every time, however short ago the last answer was: bytes that came behind it would be
        /// taken for the next one.
        bool is_reusable();

        /// The connection may serve the next attempt.
        void keep() noexcept { is_kept_ = true; }

      private:
        Connection& connection_;
        const TimePoint began_;
        bool is_kept_ = false;
    };

    /// Why there is no connection; no error: there is one.
    struct Failure {
        Reason reason = Reason::none;
        error_code error;
    };

    /// Connects anew. operation_aborted is an error only if it was not the time that ran out.
    awaitable<Failure> open();

    ByteStream& stream() noexcept { return *stream_; }

    /// Whether the attempt's time ran out; the stream is then closed.
    bool is_timed_out() const noexcept { return is_timed_out_; }

  private:
    void run_out();
    ConnectTarget target_at(const net::ip::address& address) const;
    awaitable<Connected> connect_any();
    awaitable<Connected> connect_within(ConnectTarget target, TimePoint deadline);

    const HttpPlan& plan_;
    Clock& clock_;
    EndpointMetrics& metrics_;
    const ClientTls::Listener tls_listener_;
    std::unique_ptr<ByteStream> stream_;
    TimePoint opened_{};
    TimePoint connect_deadline_{};
    net::cancellation_signal connecting_;
    bool is_timed_out_ = false;
    TimeoutList& attempt_times_;
    TimeoutList& connect_times_;
    TimeoutList& idle_times_;
    Timeout attempt_timeout_;
    Timeout connect_timeout_;
    Timeout idle_timeout_;
};

}  // namespace fanfare
