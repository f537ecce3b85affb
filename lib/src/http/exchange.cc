#include "http/exchange.h"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>

namespace fanfare {
namespace {

constexpr int switching_protocols = 101;

/// So much goes out however little the receiver reads: there is room for it on the way.
constexpr std::size_t short_bytes_max = std::size_t{16} * 1024;

/// Whether nothing more is wanted of the connection. After 101 it no longer speaks HTTP.
bool is_over(const ResponseParser& parser) {
    return parser.is_done() || parser.is_too_long() || parser.problem() != nullptr ||
           (parser.has_head() && parser.status() == switching_protocols);
}

/// Whether all of `bytes` belonged to the answer.
bool feed_all(ResponseParser& parser, std::string_view bytes) {
    while (!bytes.empty() && !is_over(parser)) {
        const std::size_t consumed = parser.feed(bytes);
        if (consumed == 0) break;
        bytes.remove_prefix(consumed);
    }
    return bytes.empty();
}

/// One exchange under way, and what becomes of it.
class Exchange {
  public:
    Exchange(ByteStream& stream, ResponseParser& parser, std::span<char> buffer)
        : stream_(stream), parser_(parser), buffer_(buffer) {
        parser_.reset();
    }

    void written(const IoResult& result) {
        if (!is_cut_ && !end_.error) end_.error = result.error;
    }

    net::mutable_buffer space() const { return {buffer_.data(), buffer_.size()}; }

    /// Whether to read on.
    bool take(const IoResult& got) {
        if (got.error == net::error::eof) parser_.feed_eof();
        if (got.error) {
            // What TLS says counts more than that the request could not be sent: a server of TLS
            // 1.3 tells only now that it refuses our certificate.
            if (!end_.error || got.error.category() == net::error::get_ssl_category()) {
                end_.error = got.error;
            }
            return false;
        }
        is_all_fed_ = feed_all(parser_, {buffer_.data(), got.bytes});
        return !is_over(parser_);
    }

    awaitable<void> write(std::span<const net::const_buffer> request) {
        is_writing_ = true;
        const IoResult result = co_await stream_.write(request);
        is_writing_ = false;
        written(result);
    }

    /// Ends the writing as soon as it is of no use: who refuses a request need not read it. One
    /// that is accepted is sent whole all the same, as the receiver may be reading on.
    awaitable<void> read() {
        bool is_more = true;
        while (is_more) {
            const IoResult got = co_await stream_.read_some(space());
            is_more = take(got);
            const bool is_accepted = parser_.has_head() && parser_.status() < 300;
            const bool is_of_use = is_accepted || (is_more && !parser_.has_head());
            if (is_writing_ && !is_of_use) {
                is_cut_ = true;
                stream_.stop_writing();
            }
        }
    }

    ExchangeEnd end() const {
        ExchangeEnd end = end_;
        end.is_reusable = parser_.is_done() && parser_.keep_alive() && is_all_fed_ && !end_.error &&
                          !is_cut_ && parser_.status() != switching_protocols;
        return end;
    }

  private:
    ByteStream& stream_;
    ResponseParser& parser_;
    const std::span<char> buffer_;
    ExchangeEnd end_;
    bool is_all_fed_ = true;
    bool is_writing_ = false;
    bool is_cut_ = false;  // the writing, before its end
};

/// Whether so much is left that it may have to wait until the receiver reads.
bool is_long(std::span<const net::const_buffer> request, const IoResult& written) {
    return net::buffer_size(request) - written.bytes > short_bytes_max;
}

/// Reads while it writes: a receiver may answer without reading all, and then read no more.
awaitable<void> run_both_ways(Exchange& exchange, std::span<const net::const_buffer> request) {
    using net::experimental::awaitable_operators::operator&&;
    awaitable<void> both = exchange.write(request) && exchange.read();
    co_await std::move(both);
}

}  // namespace

awaitable<ExchangeEnd> exchange(ByteStream& stream, std::span<const net::const_buffer> request,
                                ResponseParser& parser, std::span<char> buffer) {
    Exchange exchange(stream, parser, buffer);
    IoResult written = stream.write_now(request);
    if (written.has_left(request)) {
        if (is_long(request, written)) {
            co_await run_both_ways(exchange, request);
            co_return exchange.end();
        }
        written = co_await stream.write(request);
    }
    exchange.written(written);
    if (written.error == net::error::operation_aborted) co_return exchange.end();

    // Even if not all could be sent: the receiver may have said why before it hung up.
    bool is_more = true;
    while (is_more) {
        const IoResult got = co_await stream.read_some(exchange.space());
        is_more = exchange.take(got);
    }
    co_return exchange.end();
}

}  // namespace fanfare
