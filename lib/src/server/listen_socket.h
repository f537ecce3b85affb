#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>
#include <string>

#include "base/wakeup.h"
#include "fanfare/error.h"
#include "server/http_server.h"

namespace fanfare {

using StreamAcceptor = net::basic_socket_acceptor<net::generic::stream_protocol>;
using StreamEndpoint = net::generic::stream_protocol::endpoint;

/// A socket that listens: TCP over IPv4 or IPv6, or a unix socket. Shard thread.
class ListenSocket {
  public:
    /// `listen` as in ListenerOptions. With `v6_only` an IPv6 wildcard leaves IPv4 to others.
    /// A name is looked up, which may block, and its first address is taken.
    static Result<std::unique_ptr<ListenSocket>> open(const std::string& listen, bool v6_only,
                                                      const Executor& executor);
    /// close()
    ~ListenSocket();
    ListenSocket(const ListenSocket&) = delete;
    ListenSocket& operator=(const ListenSocket&) = delete;

    StreamAcceptor& acceptor() noexcept { return acceptor_; }
    /// Where it listens, with the real port.
    const std::string& address() const noexcept { return address_; }
    /// Waits until resume(), at the latest until `at`: nothing can be accepted now.
    awaitable<void> pause(Clock& clock, TimePoint at);
    void resume();

    /// Accepts no more; a unix socket's file is removed if it is still ours. Idempotent.
    void close() noexcept;

  private:
    explicit ListenSocket(const Executor& executor);
    error_code listen_at(const StreamEndpoint& endpoint, bool v6_only);
    Result<void> open_unix(const std::string& path);
    Result<void> open_tcp(const std::string& listen, bool v6_only);

    StreamAcceptor acceptor_;
    Wakeup resumed_;
    bool is_paused_ = false;
    std::string address_;
    std::string path_;  // of a unix socket that is ours
    std::uint64_t device_ = 0;
    std::uint64_t inode_ = 0;
};

/// Whether `listen` is an IPv4 address with that port, in text.
bool is_ipv4_listen(const std::string& listen);

/// The other end of an accepted connection.
Peer describe_peer(const StreamEndpoint& endpoint);

}  // namespace fanfare
