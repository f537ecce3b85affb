#include "server/session.h"

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <new>

#include "base/exceptions.h"

namespace fanfare {
namespace {

/// A body up to this size is sent out of one buffer with its head.
constexpr std::size_t appended_bytes_max = 512;
constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";

RequestParser::Limits limits_of(const ListenerOptions& options) {
    RequestParser::Limits limits;
    limits.body_bytes_max = options.body_bytes_max;
    limits.post_needs_length = options.post_needs_length;
    return limits;
}

}  // namespace

Session::Session(SessionHost& host, Peer peer, ConnectionSlot slot)
    : slot_(std::move(slot)),
      host_(host),
      peer_(std::move(peer)),
      parser_(limits_of(host.options_)),
      begun_(host.shard_.clock().now()),
      timeout_([this] { on_timeout(); }) {
    host_.metrics_.connection_opened();
}

Session::~Session() { host_.metrics_.connection_closed(); }

awaitable<void> Session::serve(std::shared_ptr<Session> self, StreamSocket socket) {
    if (self->host_.is_stopping_) co_return;
    bool goes_on = co_await self->open(std::move(socket));
    while (goes_on) goes_on = co_await self->serve_request();
    if (self->phase_ == Phase::late) co_await self->drain();
}

awaitable<void> Session::turn_away(std::shared_ptr<Session> self, StreamSocket socket) {
    self->stream_ = make_plain_stream(std::move(socket));
    Response response = too_many_connections_response();
    co_await self->finish(std::move(response));
}

awaitable<bool> Session::open(StreamSocket socket) {
    if (!host_.tls_) {
        stream_ = make_plain_stream(std::move(socket));
        co_return true;
    }
    enter(Phase::handshake);
    Connected connected =
        co_await net::co_spawn(host_.executor(), accept_tls(std::move(socket), host_.tls_),
                               net::bind_cancellation_slot(handshake_.slot(), net::use_awaitable));
    stream_ = std::move(connected.stream);
    if (!stream_) {
        host_.shard_.log().debug(host_.component_, "TLS handshake failed",
                                 {{"peer", peer_.text}, {"error", connected.error.message()}});
    }
    enter(Phase::handling);
    co_return stream_ != nullptr;
}

/// Whether a next request may follow.
awaitable<bool> Session::serve_request() {
    const Progress progress = co_await read_until(&RequestParser::has_head);
    if (progress == Progress::ended) co_return false;
    if (progress == Progress::unreadable) {
        Response response = problem_response(problem_, false);
        co_return co_await finish(std::move(response));
    }
    if (parser_.head().method == "CONNECT") {
        Response response = connect_response(host_.handler_.allowed_methods());
        co_return co_await finish(std::move(response));
    }

    std::optional<Response> refusal = refuse();
    const bool is_client_waiting =
        parser_.head().expects_continue && !parser_.is_done() && input_.is_empty();
    if (refusal && is_client_waiting) {
        Response response = std::move(*refusal);
        co_return co_await finish(std::move(response));
    }
    if (refusal) {
        parser_.discard_body();
    } else if (is_client_waiting) {
        const bool is_sent = co_await write_continue();
        if (!is_sent) co_return false;
    }
    co_return co_await serve_body(std::move(refusal));
}

/// Steps that mostly need no wait, a body that came with its head, an answer known at once, are
/// done without a coroutine of their own: this is every event's way in.
awaitable<bool> Session::serve_body(std::optional<Response> refusal) {
    std::optional<Progress> progress = look_for(&RequestParser::is_done);
    if (!progress) progress = co_await read_until(&RequestParser::is_done);
    if (*progress == Progress::ended) co_return false;

    enter(Phase::handling);
    Reply reply;
    if (refusal) {
        reply = std::move(*refusal);
    } else if (*progress == Progress::unreadable) {
        reply = problem_response(problem_, true);
    } else {
        if (!host_.turns_.try_take()) co_await host_.turns_.wait();
        reply = respond();
    }
    if (auto* const pending = std::get_if<awaitable<Response>>(&reply)) {
        awaitable<Response> later = std::move(*pending);
        Response response = co_await await_answer(std::move(later));
        reply = std::move(response);
    }
    Response& response = std::get<Response>(reply);
    if (response.stream) {
        Response streamed = std::move(response);
        co_return co_await serve_stream(std::move(streamed));
    }
    const bool keep_alive = *progress == Progress::there && parser_.head().keep_alive &&
                            !response.close && !host_.is_stopping_;
    if (!keep_alive) {
        Response last = std::move(response);
        co_return co_await finish(std::move(last));
    }
    const std::span<const net::const_buffer> answer = render(response, true);
    IoResult written = stream_->write_now(answer);
    if (written.has_left(answer)) {
        enter(Phase::writing);
        written = co_await stream_->write(answer);
    }
    if (written.error) co_return false;
    next_request();
    co_return true;
}

/// Whether a head or a whole message is there, or never will be; nothing if more must be read.
std::optional<Session::Progress> Session::look_for(Part is_there) {
    feed();
    if (parser_.problem()) {
        problem_ = *parser_.problem();
        return Progress::unreadable;
    }
    if ((parser_.*is_there)()) return Progress::there;
    return std::nullopt;
}

awaitable<Session::Progress> Session::read_until(Part is_there) {
    std::optional<Progress> progress = look_for(is_there);
    while (!progress) {
        const bool has_begun = parser_.has_begun();
        if (!has_begun && host_.is_stopping_ && !has_input_waiting()) co_return Progress::ended;
        if (parser_.has_head()) {
            enter(Phase::body);
        } else {
            enter(has_begun ? Phase::head : Phase::idle);
        }
        const net::mutable_buffer space = input_.prepare(phase_ == Phase::body);
        const IoResult result = co_await stream_->read_some(space);
        progress = take(result, has_begun);
        if (!progress) progress = look_for(is_there);
    }
    co_return *progress;
}

/// What has been read, or why nothing has. `has_begun`: the request had, before.
std::optional<Session::Progress> Session::take(const IoResult& read, bool has_begun) {
    if (phase_ == Phase::late) return Progress::ended;
    if (!has_begun) begun_ = host_.shard_.clock().now();
    if (read.error == net::error::eof && has_begun) {
        problem_.status = 400;
        problem_.message = "the connection ended in the middle of the request";
        return Progress::unreadable;
    }
    if (read.error) return Progress::ended;
    input_.commit(read.bytes);
    return std::nullopt;
}

void Session::feed() {
    std::size_t used = 0;
    do {
        used = parser_.feed(input_.unused());
        input_.use(used);
    } while (used > 0 && !input_.is_empty() && !parser_.has_head());
}

std::optional<Response> Session::refuse() {
    try {
        return host_.handler_.refuse(parser_.head(), peer_);
    } catch (...) {
        return failure(std::current_exception());
    }
}

Reply Session::respond() {
    try {
        Request request{parser_.head(), parser_.take_body(), peer_, begun_};
        if (!host_.tls_) request.is_awaited = [this] { return !stream_->is_stale(); };
        return host_.handler_.respond(std::move(request));
    } catch (...) {
        return failure(std::current_exception());
    }
}

/// Waits for an answer that was not there at once.
awaitable<Response> Session::await_answer(awaitable<Response> pending) {
    std::exception_ptr exception;
    try {
        Response response = co_await std::move(pending);
        co_return response;
    } catch (...) {
        exception = std::current_exception();
    }
    if (host_.is_cut_) std::rethrow_exception(exception);
    co_return failure(exception);
}

Response Session::failure(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::bad_alloc&) {
        host_.shard_.log().error(host_.component_, "out of memory for a request");
        return out_of_memory_response();
    } catch (...) {
        host_.shard_.log().error(host_.component_, "request failed",
                                 {{"error", describe(exception)}});
        return internal_error_response();
    }
}

awaitable<bool> Session::write_continue() {
    enter(Phase::writing);
    const net::const_buffer buffer(continue_answer.data(), continue_answer.size());
    const std::span<const net::const_buffer> buffers(&buffer, 1);
    const IoResult result = co_await stream_->write(buffers);
    co_return !result.error;
}

/// The answer as it is to be written; valid until the next one, and as long as `response`.
std::span<const net::const_buffer> Session::render(const Response& response, bool keep_alive) {
    Clock& clock = host_.shard_.clock();
    const RequestHead& head = parser_.head();
    AnswerForm form;
    form.date = host_.date_.at(clock.wall());
    form.version = head.version;
    form.keep_alive = keep_alive;
    form.is_streamed = static_cast<bool>(response.stream);
    render_answer_head(response, form, head_text_);
    // Before the write: whoever has the answer finds it counted.
    host_.metrics_.answered(response.status, clock.now() - begun_);

    const bool has_body = can_have_body(response.status) && head.method != "HEAD";
    if (has_body && response.body.size() <= appended_bytes_max) head_text_ += response.body;
    answer_ = {net::buffer(head_text_), net::buffer(response.body)};
    const bool is_apart = has_body && response.body.size() > appended_bytes_max;
    return {answer_.data(), is_apart ? std::size_t{2} : std::size_t{1}};
}

/// The last answer on this connection.
awaitable<bool> Session::finish(Response response) {
    const std::span<const net::const_buffer> answer = render(response, false);
    enter(Phase::writing);
    const IoResult written = co_await stream_->write(answer);
    if (!written.error) {
        enter(Phase::lingering);
        co_await stream_->shutdown();
        co_await drain();
    }
    co_return false;
}

awaitable<void> Session::answer_late(std::shared_ptr<Session> self) {
    Response response = timeout_response();
    const std::span<const net::const_buffer> answer = self->render(response, false);
    const IoResult written = co_await self->stream_->write(answer);
    if (!written.error) co_await self->stream_->shutdown();
}

/// Throws away what the peer still sends, so that it can read our answer: closing a socket that
/// holds unread bytes resets the connection.
awaitable<void> Session::drain() {
    Clock& clock = host_.shard_.clock();
    const TimePoint end = clock.now() + linger_duration_max;
    for (std::uint64_t drained = 0; drained < linger_bytes_max && clock.now() < end;) {
        enter(Phase::lingering);
        const net::mutable_buffer space = input_.prepare(true);
        const IoResult result = co_await stream_->read_some(space);
        if (result.error) co_return;
        input_.commit(result.bytes);
        drained += result.bytes;
    }
}

void Session::next_request() {
    parser_.next();
    input_.shrink();
    if (!input_.is_empty()) begun_ = host_.shard_.clock().now();
}

}  // namespace fanfare
