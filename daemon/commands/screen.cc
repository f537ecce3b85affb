#include "commands/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "commands/command.h"

namespace fanfare::command {
namespace {

constexpr std::string_view welcome = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J";

/// Up to `columns` characters, none of them cut in two.
std::string_view clipped(std::string_view line, std::size_t columns) {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool is_continued = (static_cast<unsigned char>(line[i]) & 0xc0U) == 0x80U;
        if (!is_continued && ++characters > columns) return line.substr(0, i);
    }
    return line;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

}  // namespace

std::string fitted(std::string_view text, std::size_t columns, std::size_t rows) {
    std::vector<std::string_view> lines = lines_of(text);
    std::string rest;
    if (lines.size() > rows && rows > 0) {
        rest = "… " + std::to_string(lines.size() - rows + 1) + " more";
        lines.resize(rows - 1);
        lines.push_back(rest);
    }
    std::string result;
    for (const std::string_view line : lines) result.append(clipped(line, columns)) += '\n';
    return result;
}

Screen::Screen() { [[maybe_unused]] const std::optional<int> code = print(welcome); }

Screen::~Screen() { [[maybe_unused]] const std::optional<int> code = print(farewell); }

std::optional<int> Screen::show(std::string_view text) const {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size.ws_col = 80;
        size.ws_row = 24;
    }
    // The last line stays free: a line's end there would move all up.
    const std::string body = fitted(text, size.ws_col, size.ws_row - 1U);
    std::string output = "\x1b[H";
    for (const char c : body) {
        if (c == '\n') output += "\x1b[K\r";
        output += c;
    }
    return print(output + "\x1b[J");
}

}  // namespace fanfare::command
