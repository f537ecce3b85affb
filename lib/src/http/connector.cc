#include "http/connector.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/net_stream.h"

namespace fanfare {

awaitable<Connected> TcpConnector::connect(ConnectTarget target) {
    net::ip::tcp::socket socket(co_await net::this_coro::executor);
    const net::ip::tcp::endpoint peer(target.address, target.port);
    Connected connected;
    co_await socket.async_connect(peer, net::redirect_error(net::use_awaitable, connected.error));
    if (connected.error) {
        if (target.tunnel) connected.error = of_proxy(connected.error);
        connected.reason = Reason::connect;
        co_return connected;
    }
    error_code ignored;
    socket.set_option(net::ip::tcp::no_delay(true), ignored);
    if (target.tunnel) {
        connected.error = co_await open_tunnel(socket, target.tunnel);
        if (connected.error) {
            connected.reason = Reason::connect;
            co_return connected;
        }
    }
    if (target.tls == nullptr) {
        connected.stream = make_plain_stream(StreamSocket(std::move(socket)));
        co_return connected;
    }
    connected = co_await connect_tls(StreamSocket(std::move(socket)), std::move(target.tls),
                                     std::move(target.server_name));
    co_return connected;
}

}  // namespace fanfare
