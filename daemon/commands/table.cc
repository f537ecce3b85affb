#include "commands/table.h"

#include <algorithm>

namespace fanfare::command {

std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - row[i].size(), ' ');
            const bool is_text = i < 2 || i + 1 == row.size();
            text += i == 0 ? "" : "  ";
            text += is_text ? row[i] + (i + 1 == row.size() ? "" : padding) : padding + row[i];
        }
        text += '\n';
    }
    return text;
}

}  // namespace fanfare::command
