#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/raw_channel.h"

namespace fanfare::test {

/// A request as it came over the wire.
struct Recorded {
    using Clock = std::chrono::steady_clock;

    std::string head;         ///< with its blank line, byte for byte
    std::string body;         ///< byte for byte
    unsigned connection = 0;  ///< counted from 1
    Clock::time_point at;     ///< when its last byte came
    std::string server_name;  ///< SNI
    std::string protocol;     ///< ALPN
    bool is_resumed = false;  ///< the TLS session

    std::string text() const { return head + body; }

    /// All values of a header, in order. `name` in any case.
    std::vector<std::string> all(const std::string& name) const {
        std::vector<std::string> values;
        std::size_t begin = head.find("\r\n") + 2;
        while (begin < head.size()) {
            const std::size_t end = head.find("\r\n", begin);
            const std::string line = head.substr(begin, end - begin);
            const std::size_t colon = line.find(": ");
            if (colon != std::string::npos && lower(line.substr(0, colon)) == lower(name)) {
                values.push_back(line.substr(colon + 2));
            }
            begin = end + 2;
        }
        return values;
    }

    /// The first value; empty if there is none.
    std::string header(const std::string& name) const {
        const std::vector<std::string> values = all(name);
        return values.empty() ? "" : values.front();
    }

    static std::string lower(std::string text) {
        std::transform(text.begin(), text.end(), text.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return text;
    }
};

/// What an Imposter does about one request.
class ImposterReply {
  public:
    /// An answer of that status; the connection stays open.
    static ImposterReply status(int code, const std::string& headers = "",
                                const std::string& body = "") {
        return raw("HTTP/1.1 " + std::to_string(code) + " Status\r\n" + headers +
                   (code == 204 || code == 304 || code < 200
                        ? ""
                        : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                   "\r\n" + body);
    }
    /// These bytes; the connection stays open.
    static ImposterReply raw(std::string bytes) {
        ImposterReply reply;
        reply.bytes_ = std::move(bytes);
        return reply;
    }
    /// No answer; the connection is closed, reset, or left hanging until the client gives up.
    static ImposterReply close() { return ImposterReply().then_close(); }
    static ImposterReply reset() { return ImposterReply().then_reset(); }
    static ImposterReply hang() { return ImposterReply().then_hang(); }

    /// What comes after the bytes.
    ImposterReply then_close() && { return std::move(*this).then(End::close); }
    ImposterReply then_reset() && { return std::move(*this).then(End::reset); }
    ImposterReply then_hang() && { return std::move(*this).then(End::hang); }
    /// As then_hang(), but nothing is read any more, until the Imposter ends.
    ImposterReply then_hold() && { return std::move(*this).then(End::hold); }

    /// Waits before the first byte.
    ImposterReply after(std::chrono::milliseconds delay) && {
        delay_ = delay;
        return std::move(*this);
    }

  private:
    friend class Imposter;
    enum class End { keep, close, reset, hang, hold };

    ImposterReply then(End end) && {
        end_ = end;
        return std::move(*this);
    }

    std::string bytes_;
    std::chrono::milliseconds delay_{};
    End end_ = End::keep;
};

/// A receiver that records every request and answers as a script says, on threads of its own with
/// plain blocking sockets. Keeps connections alive unless told otherwise. Its methods are for any
/// thread.
class Imposter {
  public:
    /// What to do about request number `number`, counted from 0 over all connections. Called by
    /// one thread at a time.
    using Script = std::function<ImposterReply(const Recorded& request, std::size_t number)>;

    static Script always(int status) {
        return [status](const Recorded&, std::size_t) { return ImposterReply::status(status); };
    }
    /// One status after the other; the last one from then on.
    static Script in_turn(std::vector<int> statuses) {
        return [statuses](const Recorded&, std::size_t number) {
            return ImposterReply::status(statuses[std::min(number, statuses.size() - 1)]);
        };
    }

    explicit Imposter(Script script = always(200), std::unique_ptr<RawTls> tls = nullptr)
        : script_(std::move(script)), tls_(std::move(tls)), listener_(listen()) {
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~Imposter() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        changed_.notify_all();
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        for (Connection& connection : connections_) {
            connection.channel->shut_down();
            connection.thread.join();
        }
    }
    Imposter(const Imposter&) = delete;
    Imposter& operator=(const Imposter&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url(const std::string& target = "/hook") const {
        return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + target;
    }

    std::vector<Recorded> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    /// Accepted so far.
    unsigned connections() const {
        const std::lock_guard lock(mutex_);
        return static_cast<unsigned>(connections_.size());
    }
    /// Of those, not ended by either side.
    unsigned open_connections() const {
        const std::lock_guard lock(mutex_);
        return open_;
    }

    /// Waits until `is_reached` is true of the imposter; false after ten seconds. Looks again when
    /// a request or connection comes or goes.
    bool wait_until(const std::function<bool()>& is_reached) const {
        const auto deadline = Recorded::Clock::now() + std::chrono::seconds(30);
        while (!is_reached()) {
            std::unique_lock lock(mutex_);
            if (Recorded::Clock::now() >= deadline) return false;
            changed_.wait_for(lock, std::chrono::milliseconds(30));
        }
        return true;
    }
    bool wait_for_requests(std::size_t count) const {
        return wait_until([&] { return requests().size() >= count; });
    }

    /// Replaces the script from the next request on.
    void set_script(Script script) {
        const std::lock_guard lock(mutex_);
        script_ = std::move(script);
    }

    /// From now on bodies are neither recorded nor read.
    void leave_bodies_unread() { is_reading_bodies_ = false; }

    /// Ends all connections, as a receiver does with idle ones.
    void end_connections() {
        const std::lock_guard lock(mutex_);
        for (Connection& connection : connections_) connection.channel->shut_down();
    }

  private:
    struct Connection {
        std::unique_ptr<RawChannel> channel;
        std::thread thread;
    };

    int listen() {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket, generic, size) != 0 || ::listen(socket, 1024) != 0 ||
            ::getsockname(socket, generic, &size) != 0) {
            throw std::runtime_error("the imposter cannot listen");
        }
        port_ = ntohs(address.sin_port);
        return socket;
    }

    void accept_all() {
        while (true) {
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            const std::lock_guard lock(mutex_);
            if (socket < 0 || is_stopping_) {
                if (socket >= 0) ::close(socket);
                return;
            }
            Connection& connection = connections_.emplace_back();
            connection.channel =
                std::make_unique<RawChannel>(socket, tls_ ? tls_->context() : nullptr);
            ++open_;
            RawChannel* const channel = connection.channel.get();
            const auto number = static_cast<unsigned>(connections_.size());
            connection.thread = std::thread([this, channel, number] { serve(*channel, number); });
        }
    }

    void serve(RawChannel& channel, unsigned number) {
        // OpenSSL writes without MSG_NOSIGNAL.
        sigset_t pipe;
        ::sigemptyset(&pipe);
        ::sigaddset(&pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        std::string unread;
        if (channel.accept()) {
            while (std::optional<Recorded> request = read_request(channel, unread)) {
                request->connection = number;
                if (!answer(channel, std::move(*request))) break;
            }
        }
        channel.end();
        const std::lock_guard lock(mutex_);
        --open_;
        changed_.notify_all();
    }

    std::optional<Recorded> read_request(RawChannel& channel, std::string& unread) const {
        std::size_t head_size = std::string::npos;
        std::size_t size = 0;
        while (true) {
            if (head_size == std::string::npos) {
                head_size = unread.find("\r\n\r\n");
                if (head_size != std::string::npos) {
                    head_size += 4;
                    Recorded probe;
                    probe.head = unread.substr(0, head_size);
                    size = head_size;
                    if (is_reading_bodies_)
                        size += std::stoul("0" + probe.header("Content-Length"));
                }
            }
            if (head_size != std::string::npos && unread.size() >= size) break;
            char space[65536];
            const int got = channel.read(space, sizeof space);
            if (got <= 0) return std::nullopt;
            unread.append(space, static_cast<std::size_t>(got));
        }
        Recorded request;
        request.head = unread.substr(0, head_size);
        request.body = unread.substr(head_size, size - head_size);
        request.at = Recorded::Clock::now();
        request.server_name = channel.server_name();
        request.protocol = channel.protocol();
        request.is_resumed = channel.is_resumed();
        unread.erase(0, size);
        return request;
    }

    /// Whether the connection goes on.
    bool answer(RawChannel& channel, Recorded request) {
        std::unique_lock lock(mutex_);
        const ImposterReply reply = script_(request, requests_.size());
        requests_.push_back(std::move(request));
        changed_.notify_all();
        if (reply.delay_.count() > 0) {
            changed_.wait_for(lock, reply.delay_, [this] { return is_stopping_; });
        }
        lock.unlock();
        if (!channel.write(reply.bytes_)) return false;
        if (reply.end_ == ImposterReply::End::reset) channel.make_reset();
        if (reply.end_ == ImposterReply::End::hang) channel.wait_for_end();
        if (reply.end_ == ImposterReply::End::hold) channel.hold();
        return reply.end_ == ImposterReply::End::keep;
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    Script script_;
    const std::unique_ptr<RawTls> tls_;
    std::uint16_t port_ = 0;
    const int listener_;
    bool is_stopping_ = false;
    std::atomic<bool> is_reading_bodies_ = true;
    std::vector<Recorded> requests_;
    std::list<Connection> connections_;
    unsigned open_ = 0;
    std::thread acceptor_;
};

}  // namespace fanfare::test
