#pragma once

#include <cstddef>
#include <string>

#include "fanfare/error.h"

namespace fanfare {

/// The whole content of `file`, which may be a pipe; an Error that says why it cannot be had, or
/// that it is longer than `bytes_max`, without the name of the file. Blocks.
Result<std::string> read_file(const std::string& file, std::size_t bytes_max);

/// Whether `file` is a pipe or the like (`<(command)` of a shell, say), which gives its text only
/// once, and may then never again answer.
bool is_read_once(const std::string& file);

}  // namespace fanfare
