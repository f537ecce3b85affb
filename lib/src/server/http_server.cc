#include "server/http_server.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>

#include "base/exceptions.h"
#include "base/run_on.h"
#include "server/listen_socket.h"
#include "server/session_host.h"

namespace fanfare {
namespace {

constexpr Duration accept_pause = std::chrono::milliseconds(100);
constexpr Duration accept_log_interval = std::chrono::seconds(10);

/// Counts the open connections on the first shard. Shared with what may give one back later.
struct Gate {
    std::size_t serving = 0;
    std::size_t turning_away = 0;
    std::vector<std::shared_ptr<ListenSocket>> sockets;

    /// Descriptors may have become free: accepting can go on.
    void resume() {
        for (const auto& socket : sockets) socket->resume();
    }
};

}  // namespace

class HttpServer::Impl {
  public:
    Impl(std::string component, const std::vector<Shard*>& shards, ListenerOptions options,
         RequestHandler& handler);

    Result<void> bind();
    std::vector<std::string> addresses() const;
    void start();
    awaitable<void> stop(Duration limit);
    const IngestMetrics& metrics(std::size_t shard) const { return hosts_.at(shard)->metrics(); }

  private:
    awaitable<void> accept_from(std::shared_ptr<ListenSocket> socket);
    awaitable<bool> accept_one(ListenSocket& socket);
    awaitable<void> pause(ListenSocket& socket, std::string error);
    void admit(const std::shared_ptr<SessionHost>& host, StreamSocket socket, Peer peer);
    bool may_log();
    std::function<void()> counted(std::size_t Gate::*count);
    Result<void> open_sockets();
    void cut();

    const std::string component_;
    Shard& first_;
    const ListenerOptions options_;
    std::vector<std::shared_ptr<SessionHost>> hosts_;
    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::size_t next_host_ = 0;
    std::optional<TimePoint> logged_;
    TaskGroup accepting_;
};

HttpServer::Impl::Impl(std::string component, const std::vector<Shard*>& shards,
                       ListenerOptions options, RequestHandler& handler)
    : component_(std::move(component)),
      first_(*shards.front()),
      options_(std::move(options)),
      accepting_(first_.executor(), [this](const std::exception_ptr& exception) {
          first_.log().error(component_, "accepting failed", {{"error", describe(exception)}});
      }) {
    for (Shard* const shard : shards) {
        hosts_.push_back(std::make_shared<SessionHost>(component_, *shard, options_, handler));
    }
}

Result<void> HttpServer::Impl::bind() {
    if (!options_.tls.cert_file.empty()) {
        const Result<TlsContextPtr> context = make_server_tls(options_.tls);
        if (context.has_error()) return context.error();
        for (const auto& host : hosts_) host->use_tls(*context);
    }
    const Result<void> opened = open_sockets();
    if (opened.has_error()) gate_->sockets.clear();
    return opened;
}

Result<void> HttpServer::Impl::open_sockets() {
    const auto& all = options_.listen;
    const bool v6_only = std::any_of(all.begin(), all.end(), is_ipv4_listen);
    for (const std::string& listen : all) {
        Result<std::unique_ptr<ListenSocket>> socket =
            ListenSocket::open(listen, v6_only, first_.executor());
        if (socket.has_error()) return socket.error();
        gate_->sockets.push_back(std::move(*socket));
    }
    return {};
}

std::vector<std::string> HttpServer::Impl::addresses() const {
    std::vector<std::string> all;
    for (const auto& socket : gate_->sockets) all.push_back(socket->address());
    return all;
}

void HttpServer::Impl::start() {
    for (const auto& socket : gate_->sockets) accepting_.spawn(accept_from(socket));
}

/// Whatever is thrown, want of memory say, it goes on: a daemon that accepts no more is of no use.
awaitable<void> HttpServer::Impl::accept_from(std::shared_ptr<ListenSocket> socket) {
    bool goes_on = true;
    while (goes_on) {
        std::exception_ptr exception;
        try {
            goes_on = co_await accept_one(*socket);
        } catch (...) {
            exception = std::current_exception();
        }
        if (!exception) continue;
        if (is_cancellation(exception)) co_return;
        co_await pause(*socket, describe(exception));
    }
}

/// Whether to go on.
awaitable<bool> HttpServer::Impl::accept_one(ListenSocket& socket) {
    const std::shared_ptr<SessionHost> host = hosts_[next_host_++ % hosts_.size()];
    StreamEndpoint remote;
    error_code error;
    StreamSocket accepted = co_await socket.acceptor().async_accept(
        host->executor(), remote, net::redirect_error(net::use_awaitable, error));
    if (error == net::error::operation_aborted) co_return false;
    if (error) {
        co_await pause(socket, error.message());
    } else {
        admit(host, std::move(accepted), describe_peer(remote));
    }
    co_return true;
}

/// Nothing can be accepted now, so it is not tried again at once: the connection stays where it
/// is, and the loop would spin.
awaitable<void> HttpServer::Impl::pause(ListenSocket& socket, std::string error) {
    if (may_log()) {
        first_.log().warn(component_, "accepting pauses",
                          {{"error", error}, {"connections", gate_->serving}});
    }
    co_await socket.pause(first_.clock(), first_.clock().now() + accept_pause);
}

bool HttpServer::Impl::may_log() {
    const TimePoint now = first_.clock().now();
    if (logged_ && now - *logged_ < accept_log_interval) return false;
    logged_ = now;
    return true;
}

void HttpServer::Impl::admit(const std::shared_ptr<SessionHost>& host, StreamSocket socket,
                             Peer peer) {
    const bool is_full = gate_->serving >= options_.connections_max;
    // Nobody is worth a TLS handshake who is then told to go.
    const bool is_silent = gate_->turning_away >= turned_away_max(options_.connections_max) ||
                           !options_.tls.cert_file.empty();
    if (is_full && may_log()) {
        first_.log().warn(component_, "no more connections are taken",
                          {{"connections", gate_->serving}});
    }
    if (is_full && is_silent) return;
    std::size_t Gate::*const count = is_full ? &Gate::turning_away : &Gate::serving;
    ++((*gate_).*count);
    Accepted accepted{std::move(socket), std::move(peer), ConnectionSlot(counted(count))};
    net::dispatch(host->executor(), [host, is_full, accepted = std::move(accepted)]() mutable {
        if (is_full) {
            host->turn_away(std::move(accepted));
        } else {
            host->open(std::move(accepted));
        }
    });
}

/// What to call, on whatever thread, when a connection that was counted has ended.
std::function<void()> HttpServer::Impl::counted(std::size_t Gate::*count) {
    return [gate = gate_, count, executor = first_.executor()] {
        net::post(executor, [gate, count] {
            --((*gate).*count);
            gate->resume();
        });
    };
}

awaitable<void> HttpServer::Impl::stop(Duration limit) {
    for (const auto& socket : gate_->sockets) socket->close();
    accepting_.cancel();
    co_await accepting_.join();

    const std::unique_ptr<Alarm> alarm = first_.clock().make_alarm(first_.executor());
    alarm->set(first_.clock().now() + limit, [this] { cut(); });
    for (const auto& host : hosts_) {
        net::post(host->executor(), [host] { host->stop(); });
    }
    for (const auto& host : hosts_) {
        co_await run_on(host->executor(), host->join());
    }
}

void HttpServer::Impl::cut() {
    for (const auto& host : hosts_) {
        net::post(host->executor(), [host] { host->cut(); });
    }
}

std::size_t turned_away_max(std::size_t connections_max) noexcept {
    return std::clamp<std::size_t>(connections_max / 16, 1, 64);
}

HttpServer::HttpServer(std::string component, std::vector<Shard*> shards, ListenerOptions options,
                       RequestHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(component), shards, std::move(options), handler)) {}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::bind() { return impl_->bind(); }
std::vector<std::string> HttpServer::addresses() const { return impl_->addresses(); }
void HttpServer::start() { impl_->start(); }
awaitable<void> HttpServer::stop(Duration limit) { return impl_->stop(limit); }
const IngestMetrics& HttpServer::metrics(std::size_t shard) const noexcept {
    return impl_->metrics(shard);
}

}  // namespace fanfare
