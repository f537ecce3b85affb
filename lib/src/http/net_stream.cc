#include "http/net_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/container/small_vector.hpp>
#include <cerrno>
#include <utility>

namespace fanfare {
namespace {

using Buffers = boost::container::small_vector<net::const_buffer, 8>;

/// What is left of `buffers` behind the first `bytes`.
Buffers without_first(std::span<const net::const_buffer> buffers, std::size_t bytes) {
    Buffers rest;
    for (const net::const_buffer& buffer : buffers) {
        const std::size_t skipped = std::min(bytes, buffer.size());
        bytes -= skipped;
        if (skipped < buffer.size()) rest.push_back(buffer + skipped);
    }
    return rest;
}

class PlainStream final : public ByteStream {
  public:
    explicit PlainStream(StreamSocket socket) : socket_(std::move(socket)) {
        error_code error;
        socket_.non_blocking(true, error);
        is_non_blocking_ = !error;
    }

    awaitable<IoResult> read_some(net::mutable_buffer buffer) override {
        IoResult result;
        result.bytes = co_await socket_.async_read_some(
            buffer, net::redirect_error(net::use_awaitable, result.error));
        co_return result;
    }

    IoResult write_now(std::span<const net::const_buffer> buffers) override {
        IoResult result;
        if (is_non_blocking_) result.bytes = send(buffers, result.error);
        if (result.error == net::error::would_block) result.error.clear();
        sent_ = result.has_left(buffers) ? result.bytes : 0;
        return result;
    }

    awaitable<IoResult> write(std::span<const net::const_buffer> buffers) override {
        IoResult result;
        result.bytes = std::exchange(sent_, 0);
        const Buffers rest = without_first(buffers, result.bytes);
        result.bytes += co_await net::async_write(
            socket_, rest, net::redirect_error(net::use_awaitable, result.error));
        co_return result;
    }

    void stop_writing() noexcept override {
        error_code ignored;
        socket_.shutdown(StreamSocket::shutdown_send, ignored);
    }

    awaitable<void> shutdown() override {
        stop_writing();
        co_return;
    }

    void close() noexcept override {
        error_code ignored;
        socket_.close(ignored);
    }

    bool is_stale() noexcept override {
        char byte = 0;
        const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }

  private:
    /// One buffer alone spares the kernel the reading of a list.
    std::size_t send(std::span<const net::const_buffer> buffers, error_code& error) {
        return buffers.size() == 1 ? socket_.write_some(buffers.front(), error)
                                   : socket_.write_some(buffers, error);
    }

    StreamSocket socket_;
    bool is_non_blocking_ = false;
    std::size_t sent_ = 0;  // of what write_now() could not send whole
};

}  // namespace

std::unique_ptr<ByteStream> make_plain_stream(StreamSocket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace fanfare
