#pragma once

#include <array>
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>

#include "http/http_parser.h"
#include "server/input_buffer.h"
#include "server/session_host.h"
#include "server/session_stream.h"

namespace fanfare {

/// One connection, from the handshake to its end. Shard thread. Shared by its coroutines, as the
/// answer to a client that is too slow is sent while a read is under way.
class Session : public std::enable_shared_from_this<Session>,
                public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    /// How long a peer that was told to go may stay silent before it is cut off, and how much it
    /// may still send meanwhile: a connection closed at once would take the answer with it.
    static constexpr Duration linger_timeout = std::chrono::seconds(2);
    static constexpr Duration linger_timeout_stopping = std::chrono::milliseconds(250);
    static constexpr Duration linger_duration_max = std::chrono::seconds(30);
    static constexpr std::uint64_t linger_bytes_max = 256 * 1024 * 1024;

    Session(SessionHost& host, Peer peer, ConnectionSlot slot);
    ~Session();

    static awaitable<void> serve(std::shared_ptr<Session> self, StreamSocket socket);
    static awaitable<void> turn_away(std::shared_ptr<Session> self, StreamSocket socket);

    /// The host is stopping: ends the connection if nothing has come of a request.
    void stop();
    /// Ends the connection at once.
    void cut();

  private:
    enum class Phase : std::uint8_t {
        handshake,
        idle,
        head,
        body,
        handling,
        writing,
        streaming,
        late,  // a timeout is being answered
        lingering,
    };
    enum class Progress : std::uint8_t { there, unreadable, ended };
    using Part = bool (RequestParser::*)() const noexcept;

    awaitable<bool> open(StreamSocket socket);
    awaitable<bool> serve_request();
    awaitable<bool> serve_body(std::optional<Response> refusal);
    awaitable<Progress> read_until(Part is_there);
    std::optional<Progress> look_for(Part is_there);
    std::optional<Progress> take(const IoResult& read, bool has_begun);
    Reply respond();
    awaitable<Response> await_answer(awaitable<Response> pending);
    awaitable<bool> write_continue();
    std::span<const net::const_buffer> render(const Response& response, bool keep_alive);
    awaitable<bool> finish(Response response);
    awaitable<bool> serve_stream(Response response);
    awaitable<void> write_stream(const Response& response);
    static awaitable<void> watch_client(std::shared_ptr<Session> self);
    static awaitable<void> answer_late(std::shared_ptr<Session> self);
    awaitable<void> drain();

    void feed();
    std::optional<Response> refuse();
    Response failure(const std::exception_ptr& exception);
    void next_request();
    void enter(Phase phase);
    void arm(Duration length);
    void on_timeout();
    bool has_input_waiting() noexcept;

    ConnectionSlot slot_;  // first, so that the connection is closed when it is given back
    SessionHost& host_;
    const Peer peer_;
    std::unique_ptr<ByteStream> stream_;
    RequestParser parser_;
    InputBuffer input_;
    std::string head_text_;
    std::array<net::const_buffer, 2> answer_;
    Phase phase_ = Phase::handling;
    TimePoint begun_;      // when the first byte of the request came
    HttpProblem problem_;  // of a request that cannot be read to its end
    Timeout timeout_;
    net::cancellation_signal handshake_;
    std::optional<SessionStream> body_;  // that is being made
};

}  // namespace fanfare
