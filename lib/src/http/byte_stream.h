#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <span>
#include <string>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

struct IoResult {
    error_code error;
    std::size_t bytes = 0;

    /// Whether bytes of `buffers` are left to be written, and can be.
    bool has_left(std::span<const net::const_buffer> buffers) const noexcept {
        return !error && bytes < net::buffer_size(buffers);
    }
};

/// A connected stream of bytes: TCP, TLS, a unix socket, or memory in a test. Shard thread; at
/// most one read and one write at a time.
class ByteStream {
  public:
    /// Closes without ceremony.
    virtual ~ByteStream() = default;

    /// Some bytes, at least one unless there is an error. The peer's orderly end is
    /// net::error::eof; a TLS end without close_notify counts as eof too.
    virtual awaitable<IoResult> read_some(net::mutable_buffer buffer) = 0;

    /// Sends what can be sent without waiting, perhaps nothing: spares a coroutine and mostly a
    /// turn of the loop. The same `buffers` must then go to write() unless they are all sent.
    virtual IoResult write_now(std::span<const net::const_buffer> /*buffers*/) { return {}; }

    /// The rest of `buffers`, which must stay alive until the coroutine ends. The result counts
    /// what write_now() has sent.
    virtual awaitable<IoResult> write(std::span<const net::const_buffer> buffers) = 0;

    /// Ends a write that is under way with an error, as nothing more is to be sent. What comes can
    /// still be read.
    virtual void stop_writing() noexcept = 0;

    /// Sends what belongs to an orderly end (FIN, TLS close_notify); reading is still possible.
    virtual awaitable<void> shutdown() = 0;

    /// Ends the operations under way with operation_aborted. Idempotent.
    virtual void close() noexcept = 0;

    /// Whether the peer has already ended the connection or sent something unasked: a kept-alive
    /// connection for which this is true is of no use any more. Does not block.
    virtual bool is_stale() noexcept = 0;
};

}  // namespace fanfare
