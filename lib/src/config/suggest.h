#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// The candidate that `text` was probably meant to be, by edit distance without regard to case and
/// to `-` for `_`; empty if none is near.
std::string suggest(std::string_view text, const std::vector<std::string>& candidates);

/// `a, b, c`.
std::string join(const std::vector<std::string>& parts);

/// `one of a, b, c`, or `a` alone.
std::string one_of(const std::vector<std::string>& names);

}  // namespace fanfare
