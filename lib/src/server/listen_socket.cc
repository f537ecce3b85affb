#include "server/listen_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>

#include "http/lookup.h"

namespace fanfare {
namespace {

using net::ip::tcp;
using Unix = net::local::stream_protocol;

constexpr std::string_view unix_scheme = "unix:";
constexpr mode_t socket_mode = 0660;

struct HostPort {
    std::string host;
    std::string port;
};

Error cannot_listen(const std::string& listen, const std::string& why) {
    return Error("cannot listen on " + listen + ": " + why);
}

/// Takes `host:port` or `[v6]:port` apart; both parts empty if it is neither.
HostPort split(const std::string& listen) {
    HostPort parts;
    const std::size_t colon = listen.rfind(':');
    if (colon == std::string::npos) return parts;
    std::string host = listen.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string::npos) {
        return parts;
    }
    const std::string port = listen.substr(colon + 1);
    const bool is_number = !port.empty() && port.size() <= 5 &&
                           port.find_first_not_of("0123456789") == std::string::npos;
    if (host.empty() || !is_number || std::stoi(port) > 65535) return parts;
    parts.host = std::move(host);
    parts.port = port;
    return parts;
}

tcp::endpoint to_tcp(const sockaddr* address, std::size_t size) {
    tcp::endpoint endpoint;
    if (address->sa_family == AF_INET6) endpoint = tcp::endpoint(tcp::v6(), 0);
    std::memcpy(endpoint.data(), address, std::min(size, endpoint.size()));
    return endpoint;
}

std::string to_text(const tcp::endpoint& endpoint) {
    const std::string port = ':' + std::to_string(endpoint.port());
    const std::string host = endpoint.address().to_string();
    return endpoint.address().is_v6() ? '[' + host + ']' + port : host + port;
}

/// The first address, IPv4 before IPv6, as `localhost` is expected to be 127.0.0.1.
Result<tcp::endpoint> look_up(const HostPort& parts) {
    const auto port = static_cast<std::uint16_t>(std::stoi(parts.port));
    error_code error;
    const net::ip::address literal = net::ip::make_address(parts.host, error);
    if (!error) return tcp::endpoint(literal, port);

    const Resolved resolved = lookup_host(parts.host);
    if (resolved.error) return Error(resolved.error.message());
    const auto& addresses = resolved.addresses;
    const auto v4 = std::find_if(addresses.begin(), addresses.end(),
                                 [](const net::ip::address& address) { return address.is_v4(); });
    return tcp::endpoint(v4 != addresses.end() ? *v4 : addresses.front(), port);
}

/// What stands in the way of making a socket at `path`; a stale one is removed.
std::string make_way(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return {};
    if (!S_ISSOCK(status.st_mode)) return "there is a file that is no socket";
    // Whoever connects finds out whether anybody still listens, be it with a full backlog.
    net::io_context context;
    Unix::socket probe(context);
    error_code error;
    probe.open(Unix(), error);
    if (!error) probe.native_non_blocking(true, error);
    if (error) return error.message();
    const Unix::endpoint endpoint(path);
    const int connected =
        ::connect(probe.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size()));
    if (connected != 0) error.assign(errno, boost::system::system_category());
    if (!error || error == net::error::try_again) return "another process listens there";
    if (error != net::error::connection_refused) return error.message();
    return ::unlink(path.c_str()) == 0 || errno == ENOENT ? "" : std::strerror(errno);
}

}  // namespace

ListenSocket::ListenSocket(const Executor& executor) : acceptor_(executor), resumed_(executor) {}

ListenSocket::~ListenSocket() { close(); }

Result<std::unique_ptr<ListenSocket>> ListenSocket::open(const std::string& listen, bool v6_only,
                                                         const Executor& executor) {
    std::unique_ptr<ListenSocket> socket(new ListenSocket(executor));
    const bool is_unix = listen.starts_with(unix_scheme);
    const Result<void> opened = is_unix ? socket->open_unix(listen.substr(unix_scheme.size()))
                                        : socket->open_tcp(listen, v6_only);
    if (opened.has_error()) return cannot_listen(listen, opened.error().message());
    return socket;
}

error_code ListenSocket::listen_at(const StreamEndpoint& endpoint, bool v6_only) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (error) return error;
    if (endpoint.protocol().family() == AF_UNIX) {
        // Sets the mode that the file is made with, so that there is no moment with another one.
        ::fchmod(acceptor_.native_handle(), socket_mode);
    } else {
        acceptor_.set_option(net::socket_base::reuse_address(true), error);
        acceptor_.set_option(tcp::no_delay(true), error);  // accepted sockets inherit it
    }
    if (v6_only) acceptor_.set_option(net::ip::v6_only(true), error);
    acceptor_.bind(endpoint, error);
    if (error) return error;
    acceptor_.listen(net::socket_base::max_listen_connections, error);
    return error;
}

Result<void> ListenSocket::open_unix(const std::string& path) {
    if (path.empty()) return Error("the path of the socket is missing");
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return Error("the path is too long");
    const std::string obstacle = make_way(path);
    if (!obstacle.empty()) return Error(obstacle);
    const error_code error = listen_at(Unix::endpoint(path), false);
    if (error) return Error(error.message());

    ::chmod(path.c_str(), socket_mode);  // the umask may have taken bits away
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
        path_ = path;
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
    address_ = std::string(unix_scheme) + path;
    return {};
}

Result<void> ListenSocket::open_tcp(const std::string& listen, bool v6_only) {
    const HostPort parts = split(listen);
    if (parts.host.empty()) return Error("expected host:port, [v6]:port or unix:/path");
    const Result<tcp::endpoint> endpoint = look_up(parts);
    if (endpoint.has_error()) return endpoint.error();
    error_code error = listen_at(*endpoint, v6_only && endpoint->address().is_v6());
    if (error) return Error(error.message());
    const StreamEndpoint bound = acceptor_.local_endpoint(error);
    if (error) return Error(error.message());
    address_ = to_text(to_tcp(bound.data(), bound.size()));
    return {};
}

awaitable<void> ListenSocket::pause(Clock& clock, TimePoint at) {
    is_paused_ = true;
    co_await wait_until(clock, at, resumed_);
    is_paused_ = false;
}

void ListenSocket::resume() {
    if (is_paused_) resumed_.notify();
}

void ListenSocket::close() noexcept {
    error_code ignored;
    acceptor_.close(ignored);
    struct stat status {};
    if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
    path_.clear();
}

bool is_ipv4_listen(const std::string& listen) {
    error_code error;
    net::ip::make_address_v4(split(listen).host, error);
    return !error;
}

Peer describe_peer(const StreamEndpoint& endpoint) {
    Peer peer;
    const sockaddr* const address = endpoint.data();
    if (address->sa_family == AF_INET || address->sa_family == AF_INET6) {
        tcp::endpoint remote = to_tcp(address, endpoint.size());
        if (remote.address().is_v6() && remote.address().to_v6().is_v4_mapped()) {
            remote.address(net::ip::make_address_v4(net::ip::v4_mapped, remote.address().to_v6()));
        }
        peer.is_local = remote.address().is_loopback();
        peer.text = to_text(remote);
    } else {
        peer.is_local = true;
        peer.is_unix = true;
        peer.text = "unix";
    }
    return peer;
}

}  // namespace fanfare
