#pragma once

#include <string>
#include <vector>

#include "fanfare/config.h"

namespace fanfare {

/// What one configuration changes about another. Endpoints are told by name, in the order of the
/// configuration that has them; one that is disabled counts as not there.
struct ConfigDiff {
    std::vector<std::string> added;
    std::vector<std::string> changed;
    std::vector<std::string> removed;
    std::vector<std::string> unchanged;
    /// Keys outside of endpoints with other values, which are taken over: `history.capacity`.
    std::vector<std::string> settings;
    /// Keys with other values, which only a start takes over: `ingest.listen`.
    std::vector<std::string> needs_restart;
    bool operator==(const ConfigDiff&) const = default;
};

/// What `loaded` changes about `running`, which is in effect. Pure.
ConfigDiff diff_configs(const Config& running, const Config& loaded);

/// What is in effect once `loaded` was taken over from `running` without a restart.
Config taken_over(const Config& running, const Config& loaded);

}  // namespace fanfare
