#include "http/net_stream.h"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace fanfare {
namespace {

class PlainStream final : public ByteStream {
  public:
    explicit PlainStream(StreamSocket socket) : socket_(std::move(socket)) {}

    awaitable<IoResult> read_some(net::mutable_buffer buffer) override {
        IoResult result;
        result.bytes = co_await socket_.async_read_some(
            buffer, net::redirect_error(net::use_awaitable, result.error));
        co_return result;
    }

    awaitable<IoResult> write(std::span<const net::const_buffer> buffers) override {
        IoResult result;
        result.bytes = co_await net::async_write(
            socket_, buffers, net::redirect_error(net::use_awaitable, result.error));
        co_return result;
    }

    awaitable<void> shutdown() override {
        error_code ignored;
        socket_.shutdown(StreamSocket::shutdown_send, ignored);
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
    StreamSocket socket_;
};

}  // namespace

std::unique_ptr<ByteStream> make_plain_stream(StreamSocket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace fanfare
