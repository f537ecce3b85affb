#pragma once

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/log.h"

namespace CLI {
class App;
}

namespace fanfare::command {

// Exit codes (SPEC 2). 130, ended by a second signal, is given by Signals.
inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int wrong_usage = 2;
inline constexpr int config_refused = 78;

/// What the command line has chosen, to be run once it has been read as a whole.
using Chosen = std::function<int()>;

// One per command, or group of them: describes it to `root` and has it set `chosen`. `words` is the
// command line.
void add_serve(CLI::App& root, Chosen& chosen, const std::vector<std::string>& words);
void add_check(CLI::App& root, Chosen& chosen);
void add_listen(CLI::App& root, Chosen& chosen);
void add_send(CLI::App& root, Chosen& chosen);
void add_status(CLI::App& root, Chosen& chosen);
void add_tail(CLI::App& root, Chosen& chosen);
void add_events(CLI::App& root, Chosen& chosen);
void add_endpoints(CLI::App& root, Chosen& chosen);
void add_completion(CLI::App& root, Chosen& chosen);
void add_dead_letters(CLI::App& root, Chosen& chosen);
void add_replay(CLI::App& root, Chosen& chosen);
void add_endpoint_actions(CLI::App& root, Chosen& chosen);
void add_match(CLI::App& root, Chosen& chosen);
void add_reload(CLI::App& root, Chosen& chosen);
void add_store(CLI::App& root, Chosen& chosen);
void add_healthcheck(CLI::App& root, Chosen& chosen);
void add_version(CLI::App& root, Chosen& chosen);

/// What `fanfare version` prints, without the last line's end.
std::string version_text();

/// Prints one line to stderr, `fanfare: …`: something to know that is no error.
void note(std::string_view message);

/// Prints one line to stderr, `fanfare: error: …`; returns `code`.
int fail(std::string_view message, int code = failed);

/// Writes to stdout at once. Nothing if that went well; else what the command is to end with: `ok`
/// and quietly if nobody reads it any more (a closed pipe) or the user ended it, else `failed`,
/// told on stderr.
[[nodiscard]] std::optional<int> print(std::string_view text);

/// `-c`, else $FANFARE_CONFIG, else /etc/fanfare/fanfare.yaml.
std::string config_file(const std::string& option);

/// `text` for a terminal: control characters, which could play tricks there, become `?`.
std::string printable(std::string_view text);

/// A log that tells warnings and worse, for commands other than `serve`.
LogOptions quiet_log();

}  // namespace fanfare::command
