#include "http/tunnel.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "http/http_parser.h"

namespace fanfare {
namespace {

/// Values: a status of the answer to CONNECT, one of these, `relay_base` and the status of the
/// answer to another request, or `system_base` and an error of the system.
enum ProxyError : int {
    ended = 1000,
    not_http,
    unasked_bytes,
    relay_base = 2000,
    system_base = 3000,
};

// Boost's categories have no virtual destructor, as nobody destroys one by its base.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class ProxyCategory final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "proxy"; }
    std::string message(int value) const override {
        if (value >= system_base) {
            return "the proxy cannot be reached: " +
                   boost::system::system_category().message(value - system_base);
        }
        if (value >= relay_base) {
            return "the proxy answered with status " + std::to_string(value - relay_base);
        }
        if (value == ended) return "the proxy ended the connection";
        if (value == not_http) return "the proxy's answer to CONNECT is not HTTP";
        if (value == unasked_bytes) return "the proxy sent something behind its answer to CONNECT";
        return "the proxy answered CONNECT with status " + std::to_string(value);
    }
};

#pragma GCC diagnostic pop

const ProxyCategory& proxy_category() {
    static const ProxyCategory category;
    return category;
}

error_code proxy_error(int value) { return {value, proxy_category()}; }

/// How the answer is, once enough of it has come. Byte by byte, as nothing may follow its head,
/// whatever length it gives: there, the receiver's own bytes begin.
std::optional<error_code> judge(ResponseParser& parser, std::string_view bytes) {
    while (!bytes.empty()) {
        parser.feed(bytes.substr(0, 1));
        bytes.remove_prefix(1);
        if (parser.problem() != nullptr) return proxy_error(not_http);
        if (!parser.has_head()) continue;
        const int status = parser.status();
        if (status < 200 || status > 299) return proxy_error(status);
        return bytes.empty() ? error_code() : proxy_error(unasked_bytes);
    }
    return std::nullopt;
}

}  // namespace

error_code refused_by_proxy(int status) { return proxy_error(relay_base + status); }

error_code of_proxy(error_code error) {
    if (error == net::error::operation_aborted) return error;
    if (error.category() != boost::system::system_category()) return proxy_error(ended);
    return proxy_error(system_base + error.value());
}

awaitable<error_code> open_tunnel(net::ip::tcp::socket& socket, TunnelPtr tunnel) {
    error_code error;
    co_await net::async_write(socket, net::buffer(tunnel->request),
                              net::redirect_error(net::use_awaitable, error));
    if (error) co_return of_proxy(error);

    ResponseParser parser;
    std::array<char, 2048> space;
    for (;;) {
        const std::size_t got = co_await socket.async_read_some(
            net::buffer(space), net::redirect_error(net::use_awaitable, error));
        if (error) co_return of_proxy(error);
        const std::optional<error_code> verdict = judge(parser, {space.data(), got});
        if (verdict) co_return *verdict;
    }
}

}  // namespace fanfare
