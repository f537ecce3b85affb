#pragma once

#include <string>
#include <vector>

namespace fanfare::command {

using Row = std::vector<std::string>;

/// Columns as wide as they have to be. The first two and the last are left-aligned, as they hold
/// text; the others hold numbers.
std::string table(const std::vector<Row>& rows);

}  // namespace fanfare::command
