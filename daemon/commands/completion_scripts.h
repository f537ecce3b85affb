#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::command {

/// What can stand where a value is wanted.
enum class ValueKind : std::uint8_t { nothing_known, file, directory, endpoint, reason, shell };

struct CompletedOption {
    std::vector<std::string> names;  ///< with their dashes
    std::string description;
    bool has_value = false;
    ValueKind value = ValueKind::nothing_known;
};

/// A command as the shells are to know it.
struct CompletedCommand {
    std::string path;  ///< `/dead-letters/ls`; the root's is empty
    std::string description;
    std::vector<CompletedOption> options;
    ValueKind argument = ValueKind::nothing_known;
};

/// Each command stands behind the one that it belongs to.
std::string bash_completion(const std::vector<CompletedCommand>& commands);
std::string zsh_completion(const std::vector<CompletedCommand>& commands);

}  // namespace fanfare::command
