#include "config/config_text.h"

#include <openssl/evp.h>

#include <array>

#include "base/files.h"
#include "config/yaml_reader.h"

namespace fanfare {
namespace {

constexpr std::size_t config_bytes_max = std::size_t{4} * 1024 * 1024;

/// The list of endpoints and its key; null if there is none.
std::pair<const YamlNode*, std::string> endpoint_list(const YamlNode& root) {
    if (const YamlEntry* const list = root.find("endpoints")) {
        return {list->value.get(), "endpoints"};
    }
    const YamlEntry* const block = root.find("notifications");
    const YamlEntry* const list = block == nullptr ? nullptr : block->value->find("endpoints");
    if (list == nullptr) return {nullptr, {}};
    return {list->value.get(), "notifications.endpoints"};
}

}  // namespace

Result<ConfigText> read_config_text(const std::string& file) {
    Result<std::string> text = read_file(file, config_bytes_max);
    if (text.has_error()) return text.error();
    ConfigText result;
    result.hash = hash_of(*text);
    result.text = std::move(*text);
    return result;
}

std::string hash_of(std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hash = "sha256:";
    for (unsigned i = 0; i < size; ++i) {
        hash += digits[digest[i] >> 4U];
        hash += digits[digest[i] & 15U];
    }
    return hash;
}

ConfigError endpoint_error(const ConfigText& text, const std::string& file, std::size_t index,
                           const std::string& message) {
    ConfigError error{file, 0, 0, {}, message};
    const std::variant<YamlPtr, YamlProblem> read = read_yaml(text.text);
    const auto* const root = std::get_if<YamlPtr>(&read);
    if (root == nullptr) return error;
    const auto [list, key] = endpoint_list(**root);
    if (list == nullptr || index >= list->items.size()) return error;
    const Place place = list->items[index]->place;
    error.line = place.line;
    error.column = place.column;
    error.key = key + "[" + std::to_string(index) + "]";
    return error;
}

}  // namespace fanfare
