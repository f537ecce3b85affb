#pragma once

#include <span>

#include "http/byte_stream.h"
#include "http/http_parser.h"

namespace fanfare {

/// How an exchange ended; what was answered is in the parser.
struct ExchangeEnd {
    error_code error;          ///< of the connection, if it ended before the answer did
    bool is_reusable = false;  ///< the connection can take another request
};

/// Sends one request and reads its answer into `parser`, which is reset first, until the answer is
/// whole, too long, unreadable, or the connection ends. `request` and what it points to, and
/// `buffer`, must stay alive until the coroutine ends. No time limit: close the stream to end it.
awaitable<ExchangeEnd> exchange(ByteStream& stream, std::span<const net::const_buffer> request,
                                ResponseParser& parser, std::span<char> buffer);

}  // namespace fanfare
