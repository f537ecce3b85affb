#pragma once

#include <algorithm>
#include <string_view>

namespace fanfare {

/// Whether a CloudEvent's attribute can have that name (CloudEvents 1.0: a-z and 0-9).
inline bool is_attribute_name(std::string_view name) noexcept {
    const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
}

}  // namespace fanfare
