#include "server/admin/go_status_text.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fanfare {
namespace {

struct StatusText {
    int code;
    std::string_view text;
};

// The registered names; where Go kept an older one (413, 414, 416), Go's.
constexpr std::array status_texts = {
    StatusText{100, "Continue"},
    StatusText{101, "Switching Protocols"},
    StatusText{102, "Processing"},
    StatusText{103, "Early Hints"},
    StatusText{200, "OK"},
    StatusText{201, "Created"},
    StatusText{202, "Accepted"},
    StatusText{203, "Non-Authoritative Information"},
    StatusText{204, "No Content"},
    StatusText{205, "Reset Content"},
    StatusText{206, "Partial Content"},
    StatusText{207, "Multi-Status"},
    StatusText{208, "Already Reported"},
    StatusText{226, "IM Used"},
    StatusText{300, "Multiple Choices"},
    StatusText{301, "Moved Permanently"},
    StatusText{302, "Found"},
    StatusText{303, "See Other"},
    StatusText{304, "Not Modified"},
    StatusText{305, "Use Proxy"},
    StatusText{307, "Temporary Redirect"},
    StatusText{308, "Permanent Redirect"},
    StatusText{400, "Bad Request"},
    StatusText{401, "Unauthorized"},
    StatusText{402, "Payment Required"},
    StatusText{403, "Forbidden"},
    StatusText{404, "Not Found"},
    StatusText{405, "Method Not Allowed"},
    StatusText{406, "Not Acceptable"},
    StatusText{407, "Proxy Authentication Required"},
    StatusText{408, "Request Timeout"},
    StatusText{409, "Conflict"},
    StatusText{410, "Gone"},
    StatusText{411, "Length Required"},
    StatusText{412, "Precondition Failed"},
    StatusText{413, "Request Entity Too Large"},
    StatusText{414, "Request URI Too Long"},
    StatusText{415, "Unsupported Media Type"},
    StatusText{416, "Requested Range Not Satisfiable"},
    StatusText{417, "Expectation Failed"},
    StatusText{418, "I'm a teapot"},
    StatusText{421, "Misdirected Request"},
    StatusText{422, "Unprocessable Entity"},
    StatusText{423, "Locked"},
    StatusText{424, "Failed Dependency"},
    StatusText{425, "Too Early"},
    StatusText{426, "Upgrade Required"},
    StatusText{428, "Precondition Required"},
    StatusText{429, "Too Many Requests"},
    StatusText{431, "Request Header Fields Too Large"},
    StatusText{451, "Unavailable For Legal Reasons"},
    StatusText{500, "Internal Server Error"},
    StatusText{501, "Not Implemented"},
    StatusText{502, "Bad Gateway"},
    StatusText{503, "Service Unavailable"},
    StatusText{504, "Gateway Timeout"},
    StatusText{505, "HTTP Version Not Supported"},
    StatusText{506, "Variant Also Negotiates"},
    StatusText{507, "Insufficient Storage"},
    StatusText{508, "Loop Detected"},
    StatusText{510, "Not Extended"},
    StatusText{511, "Network Authentication Required"},
};

}  // namespace

std::string go_status(int code) {
    const auto found = std::find_if(status_texts.begin(), status_texts.end(),
                                    [code](const StatusText& entry) { return entry.code == code; });
    std::string result = std::to_string(code) + ' ';
    if (found != status_texts.end()) result += found->text;
    return result;
}

}  // namespace fanfare
