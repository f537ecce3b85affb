#include "commands/table.h"

#include <algorithm>

namespace fanfare::command {
namespace {

bool is_number(const std::string& cell) {
    return cell.empty() || cell == "-" || (cell[0] >= '0' && cell[0] <= '9');
}

/// The columns that hold numbers and nothing else, apart from what stands above them.
std::vector<bool> number_columns(const std::vector<Row>& rows, std::size_t columns) {
    std::vector<bool> result(columns, rows.size() > 1);
    for (std::size_t i = 0; i < columns; ++i) {
        if (i == 0 || i + 1 == columns) result[i] = false;
        for (std::size_t row = 1; row < rows.size() && result[i]; ++row) {
            result[i] = i >= rows[row].size() || is_number(rows[row][i]);
        }
    }
    return result;
}

}  // namespace

std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    const std::vector<bool> is_right = number_columns(rows, widths.size());
    std::string text;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - row[i].size(), ' ');
            text += i == 0 ? "" : "  ";
            text += is_right[i] ? padding + row[i] : row[i] + (i + 1 == row.size() ? "" : padding);
        }
        text += '\n';
    }
    return text;
}

}  // namespace fanfare::command
