#include "http/beast_head.h"

#include <boost/beast/http/error.hpp>

namespace fanfare {

const char* describe_beast_error(boost::system::error_code code) {
    using boost::beast::http::error;
    if (code == error::bad_content_length) return "Content-Length is malformed";
    if (code == error::multiple_content_length) return "more than one Content-Length";
    if (code == error::bad_transfer_encoding) return "Transfer-Encoding is ambiguous";
    if (code == error::bad_version) return "only HTTP/1.0 and HTTP/1.1 are supported";
    if (code == error::bad_value) return "a field value is malformed";
    return "the head is malformed";
}

}  // namespace fanfare
