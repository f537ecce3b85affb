#include "commands/completion_scripts.h"

#include <map>

namespace fanfare::command {
namespace {

// clang-format off
constexpr const char* bash_head = R"sh(# bash completion: source <(fanfare completion bash)

# Asks the daemon that the command line names; says nothing if there is none.
_fanfare_endpoints() {
    local -a words where=()
    read -ra words <<<"$COMP_LINE"
    local program=${words[0]/#\~\//$HOME/} i
    for ((i = 0; i + 1 < ${#words[@]}; i++)); do
        case ${words[i]} in
            --url | --token-file) where+=("${words[i]}" "${words[i + 1]/#\~\//$HOME/}") ;;
        esac
    done
    "$program" completion endpoint-names "${where[@]}" 2>/dev/null
}

_fanfare() {
    # Not COMP_WORDS: those are cut at colons, too.
    local line=${COMP_LINE:0:COMP_POINT} at='' kind='' argument='' commands='' options='' word
    local -a words
    read -ra words <<<"$line"
    if [[ $line == *[[:space:]] ]]; then words+=(''); fi
    local last=$((${#words[@]} - 1))
    local current=${words[last]} previous=${words[last - 1]}
    for word in "${words[@]:1:last-1}"; do
)sh";

constexpr const char* bash_equals = R"sh(    if [[ $current == --*=* ]]; then
        previous=${current%%=*} current=${current#*=}
    fi
)sh";

constexpr const char* bash_tail = R"sh(
    if [[ -z $kind && $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
        return
    fi
    if [[ -z $kind && -n $commands ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
        return
    fi
    case ${kind:-$argument} in
        file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        directory) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
        endpoint)
            # Not compgen -W: that expands what it is given, and this has come over the network.
            COMPREPLY=()
            while read -r word; do
                if [[ $word == "$current"* ]]; then COMPREPLY+=("$word"); fi
            done < <(_fanfare_endpoints)
            ;;
        reason) mapfile -t COMPREPLY < <(compgen -W "$reasons" -- "$current") ;;
        shell) mapfile -t COMPREPLY < <(compgen -W 'bash zsh' -- "$current") ;;
    esac
}

complete -F _fanfare fanfare
)sh";

constexpr const char* zsh_head = R"sh(#compdef fanfare
# zsh completion: source <(fanfare completion zsh), or a file _fanfare in $fpath

# Asks the daemon that the command line names; says nothing if there is none.
_fanfare_endpoints() {
    local i program=${(Q)words[1]}
    local -a where
    for ((i = 2; i < $#words; i++)); do
        case ${(Q)words[i]} in
            (--url|--token-file) where+=("${(Q)words[i]}" "${${(Q)words[i + 1]}/#\~\//$HOME/}") ;;
        esac
    done
    "${program/#\~\//$HOME/}" completion endpoint-names "${where[@]}" 2>/dev/null
}

_fanfare() {
    local at='' kind='' argument='' word
    local current=$words[CURRENT] previous=$words[CURRENT-1]
    local -a commands options names
    for word in $words[2,CURRENT-1]; do
)sh";

constexpr const char* zsh_equals = R"sh(    if [[ $current == --*=* ]]; then
        previous=${current%%=*} current=${current#*=}
        compset -P '*='
    fi
)sh";

constexpr const char* zsh_tail = R"sh(
    if [[ -z $kind && $current == -* ]]; then
        _describe -o option options
        return
    fi
    if [[ -z $kind && -n $commands ]]; then
        _describe command commands
        return
    fi
    case ${kind:-$argument} in
        (file) _files ;;
        (directory) _files -/ ;;
        (endpoint)
            names=(${(f)"$(_fanfare_endpoints)"})
            compadd -a names
            ;;
        (reason) compadd -- ${=reasons} ;;
        (shell) compadd -- bash zsh ;;
    esac
}

if [[ $funcstack[1] == _fanfare ]]; then
    _fanfare "$@"
else
    compdef _fanfare fanfare
fi
)sh";
// clang-format on

constexpr const char* reasons = "permanent max_attempts max_age gone overflow exception corrupt";

const char* word_for(ValueKind kind) {
    switch (kind) {
        case ValueKind::nothing_known:
            return "none";
        case ValueKind::file:
            return "file";
        case ValueKind::directory:
            return "directory";
        case ValueKind::endpoint:
            return "endpoint";
        case ValueKind::reason:
            return "reason";
        case ValueKind::shell:
            return "shell";
    }
    return "none";
}

/// Between single quotes, whatever it holds.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c == '\n' ? ' ' : c;
        }
    }
    return result + '\'';
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

std::vector<const CompletedCommand*> children(const std::vector<CompletedCommand>& commands,
                                              const CompletedCommand& parent) {
    std::vector<const CompletedCommand*> result;
    for (const CompletedCommand& command : commands) {
        if (command.path.empty()) continue;
        if (command.path.substr(0, command.path.rfind('/')) == parent.path) {
            result.push_back(&command);
        }
    }
    return result;
}

std::string name_of(const CompletedCommand& command) {
    return command.path.substr(command.path.rfind('/') + 1);
}

/// The two shells write the same with slight differences.
struct Dialect {
    const char* open;  // before the patterns of a case
    std::string (*describe)(const std::vector<CompletedCommand>&, const CompletedCommand&);
};

std::string path_case(const std::vector<CompletedCommand>& commands, const Dialect& dialect) {
    std::vector<std::string> paths;
    for (const CompletedCommand& command : commands) {
        if (!command.path.empty()) paths.push_back(command.path);
    }
    return std::string("        case $at/$word in\n            ") + dialect.open +
           joined(paths, " | ") + ") at+=/$word ;;\n        esac\n    done\n";
}

/// What may stand behind an option, by command and option.
std::string value_case(const std::vector<CompletedCommand>& commands, const Dialect& dialect) {
    std::map<std::string, std::vector<std::string>> patterns;
    for (const CompletedCommand& command : commands) {
        for (const CompletedOption& option : command.options) {
            if (!option.has_value) continue;
            for (const std::string& name : option.names) {
                patterns[word_for(option.value)].push_back(quoted(command.path + ' ' + name));
            }
        }
    }
    std::string text = "    case \"$at $previous\" in\n";
    for (const auto& [kind, places] : patterns) {
        text.append("        ").append(dialect.open).append(joined(places, " | "));
        text.append(") kind=").append(kind).append(" ;;\n");
    }
    return text + "    esac\n";
}

std::string command_case(const std::vector<CompletedCommand>& commands, const Dialect& dialect) {
    std::string text = "    case $at in\n";
    for (const CompletedCommand& command : commands) {
        text.append("        ").append(dialect.open).append(quoted(command.path)).append(")\n");
        text.append(dialect.describe(commands, command));
        text.append("            argument=").append(word_for(command.argument));
        text.append("\n            ;;\n");
    }
    return text + "    esac\n";
}

std::string describe_in_bash(const std::vector<CompletedCommand>& all,
                             const CompletedCommand& command) {
    std::vector<std::string> names;
    for (const CompletedCommand* const child : children(all, command)) {
        names.push_back(name_of(*child));
    }
    std::vector<std::string> options;
    for (const CompletedOption& option : command.options) {
        options.insert(options.end(), option.names.begin(), option.names.end());
    }
    return "            commands=" + quoted(joined(names, " ")) + '\n' +
           "            options=" + quoted(joined(options, " ")) + '\n';
}

std::string describe_in_zsh(const std::vector<CompletedCommand>& all,
                            const CompletedCommand& command) {
    std::string text = "            commands=(";
    for (const CompletedCommand* const child : children(all, command)) {
        text += "\n                " + quoted(name_of(*child) + ':' + child->description);
    }
    text += ")\n            options=(";
    for (const CompletedOption& option : command.options) {
        for (const std::string& name : option.names) {
            text += "\n                " + quoted(name + ':' + option.description);
        }
    }
    return text + ")\n";
}

std::string reasons_line() { return std::string("    local reasons=") + quoted(reasons) + '\n'; }

}  // namespace

std::string bash_completion(const std::vector<CompletedCommand>& commands) {
    const Dialect dialect{.open = "", .describe = describe_in_bash};
    return bash_head + path_case(commands, dialect) + bash_equals + reasons_line() +
           value_case(commands, dialect) + command_case(commands, dialect) + bash_tail;
}

std::string zsh_completion(const std::vector<CompletedCommand>& commands) {
    const Dialect dialect{.open = "(", .describe = describe_in_zsh};
    return zsh_head + path_case(commands, dialect) + zsh_equals + reasons_line() +
           value_case(commands, dialect) + command_case(commands, dialect) + zsh_tail;
}

}  // namespace fanfare::command
