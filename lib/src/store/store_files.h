#pragma once

#include <string>

namespace fanfare {

/// The next start is to look closely at the store in `file`, as it has been found damaged.
void mark_suspect(const std::string& file) noexcept;

}  // namespace fanfare
