#include "server/media_type.h"

namespace fanfare {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

std::string media_type_of(std::string_view content_type) {
    content_type = content_type.substr(0, content_type.find(';'));
    const std::size_t begin = content_type.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    const std::size_t end = content_type.find_last_not_of(" \t") + 1;
    return lower_case(content_type.substr(begin, end - begin));
}

bool is_json_media_type(std::string_view media_type) noexcept {
    return media_type == "application/json" || media_type == "text/json" ||
           media_type.ends_with("+json");
}

}  // namespace fanfare
