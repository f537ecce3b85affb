#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/wakeup.h"
#include "http/connector.h"
#include "http/resolver.h"

namespace fanfare::test {

/// What a FakeStream and the test at its other end share.
struct FakeWire {
    explicit FakeWire(const Executor& executor) : changed(executor), writable(executor) {}

    /// Gives the stream something to read.
    void answer(const std::string& bytes) {
        incoming += bytes;
        changed.notify();
    }
    /// Ends the reading: eof or another error, once what was answered has been read.
    void end(error_code with) {
        incoming_end = with;
        changed.notify();
    }

    /// Lets the writes go on that is_blocked holds up.
    void unblock() {
        is_blocked = false;
        writable.notify();
    }

    std::string sent;  ///< by the stream
    std::string incoming;
    error_code incoming_end;
    error_code write_error;         ///< what the next writes fail with
    bool is_blocked = false;        ///< writes do not get on
    bool is_stopped = false;        ///< writing, by the stream
    bool is_stale = false;          ///< what the stream says
    bool is_closed = false;         ///< by the stream, or the stream is gone
    std::function<void()> on_sent;  ///< called after each write
    Wakeup changed;
    Wakeup writable;
};
using FakeWirePtr = std::shared_ptr<FakeWire>;

inline const std::string ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A stream whose other end is the test.
class FakeStream final : public ByteStream {
  public:
    explicit FakeStream(FakeWirePtr wire) : wire_(std::move(wire)) {}
    ~FakeStream() override { wire_->is_closed = true; }

    awaitable<IoResult> read_some(net::mutable_buffer buffer) override {
        IoResult result;
        while (wire_->incoming.empty() && !wire_->incoming_end && !wire_->is_closed) {
            try {
                co_await wire_->changed.wait();
            } catch (const boost::system::system_error& error) {
                result.error = error.code();
                co_return result;
            }
        }
        if (wire_->is_closed) {
            result.error = net::error::operation_aborted;
        } else if (wire_->incoming.empty()) {
            result.error = wire_->incoming_end;
        } else {
            result.bytes = net::buffer_copy(buffer, net::buffer(wire_->incoming));
            wire_->incoming.erase(0, result.bytes);
        }
        co_return result;
    }

    awaitable<IoResult> write(std::span<const net::const_buffer> buffers) override {
        IoResult result;
        result.error = wire_->write_error;
        while (wire_->is_blocked && !wire_->is_stopped && !wire_->is_closed) {
            try {
                co_await wire_->writable.wait();
            } catch (const boost::system::system_error& error) {
                result.error = error.code();
                co_return result;
            }
        }
        if (wire_->is_stopped) result.error = net::error::broken_pipe;
        if (wire_->is_closed) result.error = net::error::operation_aborted;
        if (result.error) co_return result;
        for (const net::const_buffer& buffer : buffers) {
            wire_->sent.append(static_cast<const char*>(buffer.data()), buffer.size());
            result.bytes += buffer.size();
        }
        if (wire_->on_sent) wire_->on_sent();
        co_return result;
    }

    void stop_writing() noexcept override {
        wire_->is_stopped = true;
        wire_->writable.notify();
    }

    awaitable<void> shutdown() override { co_return; }

    void close() noexcept override {
        wire_->is_closed = true;
        wire_->changed.notify();
        wire_->writable.notify();
    }

    bool is_stale() noexcept override { return wire_->is_stale; }

  private:
    FakeWirePtr wire_;
};

/// Names and connections as the test wants them.
class FakeNetwork final : public Resolver, public Connector {
  public:
    /// What happens to a connect: an error, or silence until cancelled if it is
    /// net::error::in_progress.
    std::function<error_code(const ConnectTarget& target)> on_connect;
    /// Called with the other end of each new connection.
    std::function<void(FakeWire& wire)> on_connected;
    Resolved names;                      ///< the answer to every question
    bool is_resolver_silent = false;     ///< never answers
    std::vector<std::string> asked;      ///< names that were resolved
    std::vector<ConnectTarget> targets;  ///< connects that were begun
    std::vector<FakeWirePtr> wires;      ///< connections that were made

    awaitable<Resolved> resolve(std::string host) override {
        asked.push_back(std::move(host));
        if (is_resolver_silent) co_await wait_for_ever();
        co_return names;
    }

    awaitable<Connected> connect(ConnectTarget target) override {
        const error_code error = on_connect ? on_connect(target) : error_code();
        targets.push_back(std::move(target));
        Connected connected;
        if (error == net::error::in_progress) co_await wait_for_ever();
        if (error) {
            connected.reason = Reason::connect;
            connected.error = error;
            co_return connected;
        }
        const Executor executor = co_await net::this_coro::executor;
        wires.push_back(std::make_shared<FakeWire>(executor));
        connected.stream = std::make_unique<FakeStream>(wires.back());
        if (on_connected) on_connected(*wires.back());
        co_return connected;
    }

  private:
    static awaitable<void> wait_for_ever() {
        Wakeup never(co_await net::this_coro::executor);
        co_await never.wait();
    }
};

}  // namespace fanfare::test
