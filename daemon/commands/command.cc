#include "commands/command.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/utf8.h"

namespace fanfare::command {

namespace {

void tell(std::string line, std::string_view message) {
    for (const char c : message) line += c == '\n' ? ' ' : c;
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void note(std::string_view message) { tell("fanfare: ", message); }

int fail(std::string_view message, int code) {
    tell("fanfare: error: ", message);
    return code;
}

std::optional<int> print(std::string_view text) {
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (is_written) return std::nullopt;
    // EINTR: see Interrupt; nobody wants the rest.
    return errno == EPIPE || errno == EINTR
               ? ok
               : fail(std::string("cannot write: ") + std::strerror(errno));
}

std::string config_file(const std::string& option) {
    if (!option.empty()) return option;
    const char* const variable = std::getenv("FANFARE_CONFIG");
    if (variable != nullptr && *variable != '\0') return variable;
    return "/etc/fanfare/fanfare.yaml";
}

namespace {

/// Control characters, of which terminals obey those from U+0080 to U+009F, too; ends of lines by
/// other names; and what turns the direction of a text around.
bool plays_tricks(std::string_view character) {
    const auto byte = [character](std::size_t i) {
        return static_cast<unsigned char>(character[i]);
    };
    if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
    if (character.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
    if (character.size() != 3 || byte(0) != 0xe2) return false;
    const bool is_line_or_turn = byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae;
    return is_line_or_turn || (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
        const std::string_view character = text.substr(0, length);
        if (plays_tricks(character)) {
            result += '?';
        } else {
            result += character;
        }
        text.remove_prefix(length);
    }
    return result;
}

LogOptions quiet_log() {
    LogOptions options;
    options.level = LogLevel::warning;
    return options;
}

}  // namespace fanfare::command
