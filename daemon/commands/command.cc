#include "commands/command.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

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

std::string printable(std::string_view text) {
    std::string result(text);
    std::replace_if(
        result.begin(), result.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return result;
}

LogOptions quiet_log() {
    LogOptions options;
    options.level = LogLevel::warning;
    return options;
}

}  // namespace fanfare::command
