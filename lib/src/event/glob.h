#pragma once

#include <string_view>

namespace fanfare {

/// Whether all of `text` fits `pattern`: `*` is any run of characters, also across `/`; `?` is one
/// character; `[a-z_]` is one of a set, `[!…]` one outside of it, a `]` directly behind the opening
/// stands for itself. A `[` that is never closed is a plain character. Characters are those of
/// UTF-8. Time at most text × pattern.
bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

/// Where the set that `pattern` begins with is closed; npos if it never is. A bracket that comes
/// first in the set is part of it.
std::size_t glob_set_end(std::string_view pattern) noexcept;

}  // namespace fanfare
