#include "http/http_parser.h"

namespace fanfare {

std::string_view RequestHead::path() const noexcept {
    std::string_view rest = target;
    if (!rest.starts_with('/')) {
        // The absolute form, as a proxy sends it.
        const std::size_t scheme_end = rest.find("://");
        if (scheme_end == std::string_view::npos) return {};
        const std::size_t begin = rest.find_first_of("/?", scheme_end + 3);
        if (begin == std::string_view::npos || rest[begin] == '?') return "/";
        rest.remove_prefix(begin);
    }
    return rest.substr(0, rest.find('?'));
}

}  // namespace fanfare
