#pragma once

#include <string>
#include <vector>

namespace fanfare::command {

using Row = std::vector<std::string>;

/// Columns as wide as they have to be; the first row stands above them. Those that hold numbers are
/// right-aligned, except for the first and the last.
std::string table(const std::vector<Row>& rows);

}  // namespace fanfare::command
