#include "http/exchange.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace fanfare {
namespace {

constexpr int switching_protocols = 101;

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

}  // namespace

awaitable<ExchangeEnd> exchange(ByteStream& stream, std::span<const net::const_buffer> request,
                                ResponseParser& parser, std::span<char> buffer) {
    parser.reset();
    IoResult written = stream.write_now(request);
    if (written.has_left(request)) written = co_await stream.write(request);
    ExchangeEnd end;
    end.error = written.error;
    if (end.error == net::error::operation_aborted) co_return end;

    // Even if not all could be sent: the receiver may have said why before it hung up.
    bool is_all_fed = true;
    while (!is_over(parser)) {
        const net::mutable_buffer space(buffer.data(), buffer.size());
        const IoResult got = co_await stream.read_some(space);
        if (got.error == net::error::eof) parser.feed_eof();
        if (got.error) {
            // What TLS says counts more than that the request could not be sent: a server of TLS
            // 1.3 tells only now that it refuses our certificate.
            if (!end.error || got.error.category() == net::error::get_ssl_category()) {
                end.error = got.error;
            }
            co_return end;
        }
        is_all_fed = feed_all(parser, {buffer.data(), got.bytes});
    }
    end.is_reusable = parser.is_done() && parser.keep_alive() && is_all_fed && !end.error &&
                      parser.status() != switching_protocols;
    co_return end;
}

}  // namespace fanfare
