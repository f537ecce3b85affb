#include "server/admin/endpoint_info.h"

namespace fanfare {

std::string without_userinfo(std::string_view url) {
    std::string result(url);
    const std::size_t scheme_end = result.find("://");
    if (scheme_end == std::string::npos) return result;
    const std::size_t begin = scheme_end + 3;
    const std::size_t authority_end = result.find_first_of("/?#", begin);
    // The last one: what stands before it is userinfo for some reader.
    const std::size_t at = result.substr(0, authority_end).rfind('@');
    if (at != std::string::npos && at >= begin) result.erase(begin, at + 1 - begin);
    return result;
}

}  // namespace fanfare
