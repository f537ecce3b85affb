#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fanfare/egress.h"
#include "fanfare/filter.h"
#include "fanfare/history.h"
#include "fanfare/http_sink.h"
#include "fanfare/listener.h"
#include "fanfare/log.h"
#include "fanfare/meta.h"
#include "fanfare/queue.h"
#include "fanfare/retry_policy.h"
#include "fanfare/storage.h"
#include "fanfare/streams.h"

namespace fanfare {

/// One entry of `endpoints:`, with `defaults:` applied and the registry's rules for zero and
/// negative values carried out.
struct EndpointConfig {
    std::string name;
    bool disabled = false;
    HttpSinkOptions http;
    /// A variable's value stands in `http.url`, which may then be a secret as a whole.
    bool is_url_from_variable = false;
    unsigned max_in_flight = 1;
    std::string order_by;  ///< a JSON pointer; empty: none
    LeaseLimits batch;
    /// Half of the default Config's `queue_bytes_max`; of a Config that was loaded, half of its
    /// own.
    QueueBounds queue{.bytes_max = std::size_t{128} * 1024 * 1024};
    RetryPolicy retry;
    std::vector<std::string> ignored_media_types;
    std::vector<std::string> ignored_actions;
    std::vector<MatchRule> match;
    bool operator==(const EndpointConfig&) const = default;
};

/// Where events are kept that were given up (SPEC 8).
struct DeadLettersConfig {
    /// Empty: they are not kept; with events in NATS they are kept there.
    std::string dir;
    std::size_t bytes_max = std::size_t{256} * 1024 * 1024;
    bool operator==(const DeadLettersConfig&) const = default;
};

/// When a running daemon reads its configuration again by itself (SPEC 13).
struct ReloadOptions {
    bool watch = true;
    Duration debounce = std::chrono::milliseconds(500);  ///< since the first sign of a change
    Duration poll_interval = std::chrono::seconds(5);    ///< 0: only signs of change count
    bool operator==(const ReloadOptions&) const = default;
};

/// A whole configuration; a default-constructed one holds the built-in defaults (SPEC 3).
struct Config {
    IngestOptions ingest;
    AdminOptions admin;
    LogOptions log;
    unsigned threads = 1;  ///< 0: CPUs available to the process
    std::size_t queue_bytes_max = 256 * 1024 * 1024;
    StorageOptions storage;
    DeadLettersConfig dead_letters;
    MetaOptions meta;
    HistoryOptions history;
    StreamsOptions streams;
    ReloadOptions reload;
    Duration shutdown_drain = std::chrono::seconds(20);
    /// The user's own action groups by name, without `@`: their actions, no longer groups.
    std::map<std::string, std::vector<std::string>> action_groups;
    EgressOptions egress;  ///< as it also stands in each endpoint
    std::vector<EndpointConfig> endpoints;
    /// Remarks for the log at start: a whole registry file was given, say.
    std::vector<std::string> warnings;
    bool operator==(const Config&) const = default;
};

/// One problem of a configuration.
struct ConfigError {
    std::string file;
    int line = 0;  ///< from 1; 0: the file as a whole (it cannot be read)
    int column = 0;
    std::string key;      ///< `endpoints[2].timeout`
    std::string message;  ///< what is wrong; what was expected[, did you mean x?]

    /// `file:line:column: error: key: message`, as `fanfare check` prints it.
    std::string text() const;
    bool operator==(const ConfigError&) const = default;
};

/// Looks a variable up; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

using LoadedConfig = std::variant<Config, std::vector<ConfigError>>;

/// Reads and checks a file. Finds every problem in one run, sorted by place. Opens no socket and
/// no other file.
LoadedConfig load_config(const std::filesystem::path& file,
                         const Environment& environment = process_environment);

/// The same for text that is already in memory; `file` is only for messages.
LoadedConfig parse_config(std::string_view text, const std::string& file,
                          const Environment& environment = process_environment);

}  // namespace fanfare
