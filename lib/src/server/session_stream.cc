#include "server/session_stream.h"

#include <cstdio>

namespace fanfare {
namespace {

constexpr std::string_view chunk_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace

awaitable<bool> SessionStream::write(std::string_view text) {
    // An empty chunk would be the last one.
    if (text.empty()) co_return !has_failed_;
    std::array<char, 20> size{};
    const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
    chunk_head_.assign(size.data(), static_cast<std::size_t>(digits));
    const net::const_buffer body(text.data(), text.size());
    chunk_ = {net::buffer(chunk_head_), body, net::buffer(chunk_end)};
    std::span<const net::const_buffer> buffers(chunk_);
    if (!is_chunked_) buffers = buffers.subspan(1, 1);
    co_return co_await send(buffers);
}

awaitable<bool> SessionStream::send(std::span<const net::const_buffer> buffers) {
    if (has_failed_ || has_client_gone_) co_return false;
    IoResult written = stream_.write_now(buffers);
    if (written.has_left(buffers)) written = co_await stream_.write(buffers);
    has_failed_ = static_cast<bool>(written.error);
    co_return !has_failed_;
}

void SessionStream::cut() noexcept {
    has_failed_ = true;
    stream_.close();
}

awaitable<void> SessionStream::finish() {
    if (is_chunked_) {
        const net::const_buffer last = net::buffer(last_chunk);
        const std::span<const net::const_buffer> buffers(&last, 1);
        co_await send(buffers);
    }
    if (has_failed_) {
        stream_.close();
    } else if (!has_client_gone_) {
        co_await stream_.shutdown();
    }
}

awaitable<void> SessionStream::watch_client() {
    IoResult read;
    while (!read.error) {
        const net::mutable_buffer space = net::buffer(unasked_);
        read = co_await stream_.read_some(space);
    }
    has_client_gone_ = true;
    wakeup_.notify();
}

void SessionStream::stop() {
    is_stopping_ = true;
    wakeup_.notify();
}

}  // namespace fanfare
