#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fanfare/broadcaster.h"
#include "fanfare/error.h"
#include "fanfare/listener.h"
#include "http/http_parser.h"

namespace fanfare {

class Wakeup;

/// Where an answer's body goes that is written while it comes into being. Shard thread.
class ResponseStream {
  public:
    virtual ~ResponseStream() = default;

    /// Sends all of `text`, which must live until then. False if the connection has ended.
    virtual awaitable<bool> write(std::string_view text) = 0;

    /// Ends the connection at once, and a write under way with it.
    virtual void cut() noexcept = 0;

    /// Notified when the client has gone or the server stops; others may notify it as well. For
    /// the body to wait with.
    virtual Wakeup& wakeup() noexcept = 0;
    virtual bool has_client_gone() const noexcept = 0;
    virtual bool is_stopping() const noexcept = 0;
};

/// Writes a body until that is at its end, or the stream is. The stream outlives the coroutine.
using StreamedBody = std::function<awaitable<void>(ResponseStream& out)>;

struct Response {
    int status = 200;
    std::string body;
    std::string_view content_type = "application/json";  ///< a constant
    std::vector<std::pair<std::string, std::string>> headers;
    bool close = false;  ///< end the connection after this answer
    /// In place of `body`. The connection ends after it; the listener's timeouts are not for it.
    StreamedBody stream = {};
};

/// Who is asking.
struct Peer {
    bool is_local = false;  ///< loopback or unix socket
    bool is_unix = false;   ///< the latter
    std::string text;       ///< for logs: `127.0.0.1:4711`, `unix`
};

/// What is asked. `head` and `peer` live until the answer is there, also one that comes later.
struct Request {
    const RequestHead& head;
    std::string body;
    const Peer& peer;
    TimePoint begun;  ///< when its first byte came
    /// Whether the client still waits, as far as that can be seen, and has said nothing more.
    /// Empty: nobody knows. For answers that come much later.
    std::function<bool()> is_awaited = {};
};

/// An answer, or the coroutine that will give it: who need not wait does without one.
using Reply = std::variant<Response, awaitable<Response>>;

/// What a listener does with requests. Called on the shard that the connection belongs to; must
/// outlive the server.
class RequestHandler {
  public:
    virtual ~RequestHandler() = default;

    /// What goes into the Allow field where the target has no path to tell by.
    virtual std::string_view allowed_methods() const noexcept = 0;

    /// A look at the head, before the body: an answer here refuses the request. Its body, if it
    /// is within the limit, is then read and thrown away first, so that the connection can go on;
    /// if the client waits for `100 Continue` the connection ends instead.
    virtual std::optional<Response> refuse(const RequestHead& head, const Peer& peer) = 0;

    /// The answer, now or later. An exception becomes 500 and a log line.
    virtual Reply respond(Request request) = 0;
};

/// Connections over `connections_max` that are told so at the same time; more are just closed.
/// They cost descriptors too.
std::size_t turned_away_max(std::size_t connections_max) noexcept;

/// Listens, accepts, and runs one session per connection, spread over the shards in turn.
/// HTTP/1.1 and 1.0, keep-alive, pipelining, `Expect: 100-continue`; framing and limits of SPEC 4.
class HttpServer {
  public:
    /// `component` names it in logs. The first shard accepts. All references must outlive it.
    HttpServer(std::string component, std::vector<Shard*> shards, ListenerOptions options,
               RequestHandler& handler);
    ~HttpServer();

    /// Opens the sockets, before the loops turn. An Error names the address.
    Result<void> bind();

    /// Where it listens, with the real ports: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
    std::vector<std::string> addresses() const;

    /// Begins to accept; first shard's thread, or before the loops turn.
    void start();

    /// Accepts no more; idle connections end, requests that have begun are answered, with
    /// `Connection: close`. Runs on the first shard. Ends when all sessions have ended, at the
    /// latest after `limit`, when the rest is cut off.
    awaitable<void> stop(Duration limit);

    /// One entry per shard; see IngestMetrics. Read it on that shard's thread.
    const IngestMetrics& metrics(std::size_t shard) const noexcept;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// The registry's error form: `{"errors":[{"code":…,"message":…,"detail":…}]}`. `detail` is JSON
/// text, or empty for none.
Response error_response(int status, std::string_view code, std::string_view message,
                        std::string_view detail = {});

}  // namespace fanfare
