#include "config/not_supported.h"

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

struct Entry {
    std::string_view section;
    std::string_view key;
    std::string_view value;  ///< empty: the key as a whole
};

constexpr std::array entries = {
    Entry{"", "meta", ""},
    Entry{"queue", "storage", "nats"},
};

}  // namespace

bool is_not_supported(std::string_view section, std::string_view key, std::string_view value) {
    return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
        return entry.section == section && entry.key == key && entry.value == value;
    });
}

}  // namespace fanfare
