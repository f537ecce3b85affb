#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <string>

#include "base/wakeup.h"
#include "http/byte_stream.h"
#include "server/http_server.h"

namespace fanfare {

/// A session's connection while it carries a body that is being made. Shard thread.
class SessionStream final : public ResponseStream {
  public:
    /// `stream` must outlive it. `is_chunked`: RFC 9112, 7.1; else the body is plain.
    SessionStream(ByteStream& stream, const Executor& executor, bool is_chunked)
        : stream_(stream), wakeup_(executor), is_chunked_(is_chunked) {}

    awaitable<bool> write(std::string_view text) override;
    void cut() noexcept override;
    Wakeup& wakeup() noexcept override { return wakeup_; }
    bool has_client_gone() const noexcept override { return has_client_gone_; }
    bool is_stopping() const noexcept override { return is_stopping_; }

    /// Ends the body, if all of it could be written, and the sending.
    awaitable<void> finish();

    /// Reads what the client still says, which means nothing, until it has gone.
    awaitable<void> watch_client();

    /// The server is stopping.
    void stop();

  private:
    awaitable<bool> send(std::span<const net::const_buffer> buffers);

    ByteStream& stream_;
    Wakeup wakeup_;
    const bool is_chunked_;
    bool has_client_gone_ = false;
    bool is_stopping_ = false;
    bool has_failed_ = false;
    std::string chunk_head_;
    std::array<net::const_buffer, 3> chunk_;
    std::array<char, 512> unasked_{};
};

}  // namespace fanfare
