#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "fanfare/config.h"

namespace fanfare::test {

/// A temporary environment made of what it is given.
inline Environment environment(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

/// What is wrong with a configuration, a line per problem; empty if nothing is.
inline std::string errors_in(std::string_view text,
                             const Environment& variables = environment({})) {
    const LoadedConfig loaded = parse_config(text, "f", variables);
    const auto* const errors = std::get_if<std::vector<ConfigError>>(&loaded);
    std::string lines;
    if (errors != nullptr) {
        for (const ConfigError& error : *errors) lines += error.text() + "\n";
    }
    return lines;
}

/// A configuration that must be good.
inline Config config_of(std::string_view text, const Environment& variables = environment({})) {
    const LoadedConfig loaded = parse_config(text, "f", variables);
    EXPECT_EQ(errors_in(text, variables), "") << text;
    const auto* const config = std::get_if<Config>(&loaded);
    return config == nullptr ? Config() : *config;
}

/// The only endpoint of a configuration that has just `lines` for it, besides name and url.
inline EndpointConfig endpoint_of(const std::string& lines,
                                  const Environment& variables = environment({})) {
    std::string text = "endpoints:\n  - name: audit\n    url: https://audit.example.com/hook\n";
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) text += "    " + line + "\n";
    const Config config = config_of(text, variables);
    EXPECT_EQ(config.endpoints.size(), 1U) << text;
    return config.endpoints.empty() ? EndpointConfig() : config.endpoints[0];
}

inline std::string file_text(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(std::string(FANFARE_SOURCE_DIR "/") + name, std::ios::binary).rdbuf();
    EXPECT_NE(text.str(), "") << name;
    return text.str();
}

}  // namespace fanfare::test
