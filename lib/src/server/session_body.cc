// Answers whose body comes into being while it is written.
#include "server/session.h"

namespace fanfare {

/// The last answer on this connection.
awaitable<bool> Session::serve_stream(Response response) {
    const std::span<const net::const_buffer> head = render(response, false);
    enter(Phase::writing);
    const IoResult written = co_await stream_->write(head);
    if (written.error) co_return false;
    const bool is_chunked = parser_.head().version >= 11;
    body_.emplace(*stream_, host_.executor(), is_chunked);
    if (host_.is_stopping_) body_->stop();
    enter(Phase::streaming);
    host_.tasks_.spawn(watch_client(shared_from_this()));
    if (parser_.head().method == "HEAD") {
        co_await stream_->shutdown();
    } else {
        co_await write_stream(response);
        response.stream = nullptr;  // it is at its end, whatever the client still does
    }
    enter(Phase::lingering);
    while (!body_->has_client_gone()) co_await body_->wakeup().wait();
    co_return false;
}

awaitable<void> Session::write_stream(const Response& response) {
    std::exception_ptr exception;
    try {
        co_await response.stream(*body_);
    } catch (...) {
        exception = std::current_exception();
    }
    if (exception && host_.is_cut_) std::rethrow_exception(exception);
    if (exception) {
        failure(exception);
        body_->cut();
    }
    enter(Phase::lingering);
    co_await body_->finish();
}

awaitable<void> Session::watch_client(std::shared_ptr<Session> self) {
    co_await self->body_->watch_client();
}

}  // namespace fanfare
