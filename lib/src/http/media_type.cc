#include "http/media_type.h"

#include "http/fields.h"

namespace fanfare {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

std::string_view media_type_of(std::string_view content_type) noexcept {
    content_type = content_type.substr(0, content_type.find(';'));
    const std::size_t begin = content_type.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return content_type.substr(begin, content_type.find_last_not_of(" \t") + 1 - begin);
}

bool is_json_media_type(std::string_view media_type) noexcept {
    static constexpr std::string_view suffix = "+json";
    if (equals_ignoring_case(media_type, "application/json")) return true;
    if (equals_ignoring_case(media_type, "text/json")) return true;
    return media_type.size() > suffix.size() &&
           equals_ignoring_case(media_type.substr(media_type.size() - suffix.size()), suffix);
}

}  // namespace fanfare
