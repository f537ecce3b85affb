#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fanfare/config.h"
#include "fanfare/error.h"

namespace fanfare {

/// What a configuration file holds.
struct ConfigText {
    std::string text;
    std::string hash;  ///< `sha256:` and 64 hexadecimal digits
};

/// Blocks. An Error says why the file cannot be had, without its name.
Result<ConfigText> read_config_text(const std::string& file);

/// `sha256:…` of a text.
std::string hash_of(std::string_view text);

/// A problem with endpoint `index` of a configuration that could be read, at its place in `text`.
ConfigError endpoint_error(const ConfigText& text, const std::string& file, std::size_t index,
                           const std::string& message);

}  // namespace fanfare
