#include "http/simple_client.h"

#include <fcntl.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>

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

/// Waits for a descriptor that belongs to somebody else; -1: for ever.
class StopWait {
  public:
    StopWait(net::io_context& context, int descriptor) : descriptor_(context) {
        if (descriptor < 0) return;
        const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) throw std::system_error(errno, std::generic_category(), "cannot wait");
        descriptor_.assign(copy);
    }

    template <class Stop>
    void start(Stop stop) {
        if (!descriptor_.is_open()) return;
        descriptor_.async_wait(net::posix::stream_descriptor::wait_read, [stop](error_code error) {
            if (!error) stop();
        });
    }

    void end() noexcept {
        error_code ignored;
        descriptor_.close(ignored);
    }

  private:
    net::posix::stream_descriptor descriptor_;
};

/// One fetch under way.
class Fetch {
  public:
    /// `reader`: null if the body is to be in the response.
    Fetch(const SimpleRequest& request, const BodyReader* reader, Destination destination)
        : request_(request), reader_(reader), destination_(std::move(destination)) {
        parser_.limit_body(reader == nullptr ? request.body_bytes_max
                                             : std::numeric_limits<std::size_t>::max());
        parser_.keep_body(true);
    }

    void use_tls(TlsContextPtr tls) { tls_ = std::move(tls); }

    Result<SimpleResponse> run() {
        net::io_context context(1);
        net::cancellation_signal ended_early;
        std::exception_ptr failure;
        StopWait stop(context, request_.stop_descriptor);
        const std::unique_ptr<Alarm> alarm = clock_.make_alarm(context.get_executor());
        alarm_ = alarm.get();
        end_early_ = [&ended_early, this](const char* why) {
            why_early_ = why;
            ended_early.emit(net::cancellation_type::terminal);
        };
        set_alarm(request_.timeout, "no answer in time");
        stop.start([this] { end_early_("interrupted"); });
        net::co_spawn(
            context, perform(),
            net::bind_cancellation_slot(ended_early.slot(), [&](std::exception_ptr thrown) {
                failure = std::move(thrown);
                alarm_->clear();
                stop.end();
            }));
        context.run();

        if (why_early_ != nullptr && !parser_.is_done()) return error(why_early_);
        if (failure) std::rethrow_exception(failure);
        return response();
    }

  private:
    void set_alarm(Duration wait, const char* why) {
        alarm_->set(clock_.now() + wait, [this, why] { end_early_(why); });
    }

    awaitable<void> perform() {
        const std::unique_ptr<ByteStream> stream = co_await connect();
        if (!stream) co_return;
        const std::string head = head_of(request_, destination_.url);
        const std::array<net::const_buffer, 2> buffers = {net::buffer(head),
                                                          net::buffer(request_.body)};
        std::array<char, 16384> space;
        problem_ = "the answer is not complete";
        if (reader_ != nullptr) {
            co_await exchange_stream(*stream, buffers, space);
            co_return;
        }
        const ExchangeEnd end = co_await exchange(*stream, buffers, parser_, space);
        if (end.error) problem_ = end.error.message();
    }

    /// As exchange(), for an answer that is not kept.
    awaitable<void> exchange_stream(ByteStream& stream, std::span<const net::const_buffer> request,
                                    std::span<char> space) {
        const net::mutable_buffer buffer(space.data(), space.size());
        // Even if it cannot be sent: the server may have said why before it hung up.
        co_await stream.write(request);
        while (!is_over()) {
            const IoResult got = co_await stream.read_some(buffer);
            take({space.data(), got.bytes});
            if (!got.error) continue;
            if (got.error == net::error::eof) parser_.feed_eof();
            problem_ = got.error.message();
            co_return;
        }
    }

    bool is_over() const {
        return parser_.is_done() || parser_.is_too_long() || parser_.problem() != nullptr ||
               has_enough_ || parser_.body().size() > request_.body_bytes_max;
    }

    bool is_accepted() const {
        return parser_.has_head() && parser_.status() >= 200 && parser_.status() < 300;
    }

    void take(std::string_view bytes) {
        while (!bytes.empty() && !is_over()) {
            const std::size_t consumed = parser_.feed(bytes);
            if (consumed == 0) break;
            bytes.remove_prefix(consumed);
        }
        if (!is_accepted()) return;
        set_alarm(reader_->quiet_max, "nothing came for too long");
        const std::string body = parser_.take_body();
        if (!body.empty() && !reader_->take(body)) has_enough_ = true;
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
        if (parser_.is_too_long() || parser_.body().size() > request_.body_bytes_max) {
            return error("the answer is too long");
        }
        if (parser_.problem() != nullptr) return error(parser_.problem());
        if (!parser_.is_done() && !has_enough_) return error(problem_);
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
    const BodyReader* const reader_;
    const Destination destination_;
    TlsContextPtr tls_;
    SteadyClock clock_;
    Alarm* alarm_ = nullptr;  // only in run()
    std::function<void(const char*)> end_early_;
    const char* why_early_ = nullptr;
    bool has_enough_ = false;  // the reader
    ThreadedResolver resolver_{clock_, {}};
    TcpConnector connector_;
    ResponseParser parser_;
    std::string problem_;
};

Result<SimpleResponse> run_fetch(const SimpleRequest& request, const BodyReader* reader) {
    Result<Destination> destination = parse_destination(request.url);
    if (destination.has_error()) return destination.error();
    const bool is_tls = destination->url.is_tls();
    try {
        Fetch fetch(request, reader, std::move(*destination));
        if (is_tls) {
            Result<TlsContextPtr> tls = make_client_tls(request.tls);
            if (tls.has_error()) return tls.error();
            fetch.use_tls(std::move(*tls));
        }
        return fetch.run();
    } catch (const std::runtime_error& error) {
        return Error(error.what());
    }
}

}  // namespace

Result<SimpleResponse> fetch(const SimpleRequest& request) { return run_fetch(request, nullptr); }

Result<SimpleResponse> fetch_stream(const SimpleRequest& request, const BodyReader& reader) {
    return run_fetch(request, &reader);
}

}  // namespace fanfare
