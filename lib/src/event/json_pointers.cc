#include "event/json_pointers.h"

namespace fanfare {

std::string take_token(std::string_view& pointer) {
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(raw.size());
    std::string token;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const bool is_escape = raw[i] == '~' && i + 1 < raw.size();
        if (is_escape && (raw[i + 1] == '0' || raw[i + 1] == '1')) {
            token += raw[++i] == '0' ? '~' : '/';
        } else {
            token += raw[i];
        }
    }
    return token;
}

std::optional<std::size_t> index_of(std::string_view token) {
    const bool is_index = !token.empty() && token.size() <= 9 &&
                          (token.size() == 1 || token.front() != '0') &&
                          token.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_index) return std::nullopt;
    std::size_t index = 0;
    for (const char c : token) index = index * 10 + static_cast<std::size_t>(c - '0');
    return index;
}

std::size_t JsonPointers::add(std::string_view pointer) {
    const std::size_t number = size_++;
    if (!pointer.empty() && pointer.front() != '/') return number;
    Node* node = &root_;
    while (!pointer.empty()) {
        const std::string token = take_token(pointer);
        if (const std::optional<std::size_t> index = index_of(token)) {
            node->indices.emplace(*index, token);
        }
        node = &node->children[token];
    }
    node->ending.push_back(number);
    return number;
}

}  // namespace fanfare
