#include "http/simple_client.h"

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <optional>

#include "http/connector.h"
#include "http/exchange.h"
#include "http/net_stream.h"
#include "http/resolver.h"
#include "http/url.h"

namespace fanfare {
namespace {

constexpr std::string_view unix_prefix = "unix:";

/// Whom to ask, and how that reads in an error.
struct Destination {
    std::string socket_path;  ///< empty: `url` says where
    Url url;                  ///< for a socket: only target and host_header
    std::string name;
};

Result<Destination> parse_destination(const std::string& text) {
    Destination destination;
    if (!text.starts_with(unix_prefix)) {
        Result<Url> url = parse_url(text);
        if (url.has_error()) return url.error();
        destination.url = std::move(*url);
        destination.name = redacted_url(text);
        return destination;
    }
    const std::string path = text.substr(unix_prefix.size());
    const std::size_t colon = path.find(":/");
    destination.socket_path = path.substr(0, colon);
    destination.url.host_header = "localhost";
    destination.url.target = colon == std::string::npos ? "/" : path.substr(colon + 1);
    destination.name = std::string(unix_prefix) + destination.socket_path;
    if (destination.socket_path.empty()) return Error("the path of the unix socket is missing");
    return destination;
}

std::string head_of(const SimpleRequest& request, const Url& url) {
    std::string head = request.method + " " + url.target + " HTTP/1.1\r\n";
    const auto append = [&head](std::string_view name, std::string_view value) {
        head.append(name).append(": ").append(value).append("\r\n");
    };
    append("Host", url.host_header);
    append("User-Agent", "fanfare/" FANFARE_VERSION);
    if (!url.authorization.empty()) append("Authorization", url.authorization);
    append("Content-Length", std::to_string(request.body.size()));
    append("Connection", "close");
    for (const auto& [name, value] : request.headers) append(name, value);
    return head + "\r\n";
}

/// One fetch under way.
class Fetch {
  public:
    Fetch(const SimpleRequest& request, Destination destination, TlsContextPtr tls)
        : request_(request), destination_(std::move(destination)), tls_(std::move(tls)) {
        parser_.limit_body(request.body_bytes_max);
        parser_.keep_body(true);
    }

    Result<SimpleResponse> run() {
        net::io_context context(1);
        net::cancellation_signal overdue;
        bool is_overdue = false;
        std::exception_ptr failure;
        const std::unique_ptr<Alarm> alarm = clock_.make_alarm(context.get_executor());
        alarm->set(clock_.now() + request_.timeout, [&] {
            is_overdue = true;
            overdue.emit(net::cancellation_type::terminal);
        });
        net::co_spawn(context, perform(),
                      net::bind_cancellation_slot(overdue.slot(), [&](std::exception_ptr thrown) {
                          failure = std::move(thrown);
                          alarm->clear();
                      }));
        context.run();

        if (is_overdue && !parser_.is_done()) return error("no answer in time");
        if (failure) std::rethrow_exception(failure);
        return response();
    }

  private:
    awaitable<void> perform() {
        const std::unique_ptr<ByteStream> stream = co_await connect();
        if (!stream) co_return;
        const std::string head = head_of(request_, destination_.url);
        const std::array<net::const_buffer, 2> buffers = {net::buffer(head),
                                                          net::buffer(request_.body)};
        std::array<char, 16384> space;
        const ExchangeEnd end = co_await exchange(*stream, buffers, parser_, space);
        problem_ = end.error ? end.error.message() : "the answer is not complete";
    }

    awaitable<std::unique_ptr<ByteStream>> connect() {
        if (!destination_.socket_path.empty()) co_return co_await connect_unix();
        const Resolved resolved = co_await resolver_.resolve(destination_.url.host);
        if (resolved.error) problem_ = "the host is not known: " + resolved.error.message();
        std::unique_ptr<ByteStream> stream;
        for (const net::ip::address& address : resolved.addresses) {
            ConnectTarget target;
            target.address = address;
            target.port = destination_.url.port;
            target.tls = tls_;
            target.server_name = destination_.url.host;
            Connected connected = co_await connector_.connect(std::move(target));
            stream = std::move(connected.stream);
            if (stream) break;
            problem_ = connected.error.message();
        }
        co_return stream;
    }

    awaitable<std::unique_ptr<ByteStream>> connect_unix() {
        net::local::stream_protocol::socket socket(co_await net::this_coro::executor);
        const net::local::stream_protocol::endpoint endpoint(destination_.socket_path);
        error_code error;
        co_await socket.async_connect(endpoint, net::redirect_error(net::use_awaitable, error));
        if (error) {
            problem_ = error.message();
            co_return nullptr;
        }
        co_return make_plain_stream(StreamSocket(std::move(socket)));
    }

    Result<SimpleResponse> response() const {
        if (parser_.is_too_long()) return error("the answer is too long");
        if (parser_.problem() != nullptr) return error(parser_.problem());
        if (!parser_.is_done()) return error(problem_);
        SimpleResponse response;
        response.status = parser_.status();
        response.body = parser_.body();
        for (const std::string& name : request_.wanted_headers) {
            const std::optional<std::string_view> value = parser_.find(name);
            if (value) response.headers.emplace_back(name, *value);
        }
        return response;
    }

    Error error(const std::string& problem) const {
        return Error(destination_.name + ": " + problem);
    }

    const SimpleRequest& request_;
    const Destination destination_;
    const TlsContextPtr tls_;
    SteadyClock clock_;
    ThreadedResolver resolver_{clock_, {}};
    TcpConnector connector_;
    ResponseParser parser_;
    std::string problem_;
};

}  // namespace

Result<SimpleResponse> fetch(const SimpleRequest& request) {
    Result<Destination> destination = parse_destination(request.url);
    if (destination.has_error()) return destination.error();
    TlsContextPtr tls;
    if (destination->url.is_tls()) {
        Result<TlsContextPtr> made = make_client_tls(request.tls);
        if (made.has_error()) return made.error();
        tls = std::move(*made);
    }
    try {
        Fetch fetch(request, std::move(*destination), std::move(tls));
        return fetch.run();
    } catch (const boost::system::system_error& error) {
        return Error(error.what());
    }
}

}  // namespace fanfare
