#include "server/events/cursor.h"

#include <algorithm>

#include "base/digits.h"
#include "server/admin/query.h"

namespace fanfare {

std::optional<Cursor> Cursor::parse(std::string_view text) {
    Cursor cursor;
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const std::string_view instance = text.substr(0, colon);
        const auto is_part = [](char c) { return hex_value(c) >= 0 || c == '-'; };
        const bool is_uuid =
            instance.size() == 36 && std::all_of(instance.begin(), instance.end(), is_part);
        if (!is_uuid) return std::nullopt;
        cursor.instance = instance;
        text.remove_prefix(colon + 1);
    }
    const std::optional<std::uint64_t> seq = natural_number(text);
    if (!seq) return std::nullopt;
    cursor.seq = *seq;
    return cursor;
}

}  // namespace fanfare
