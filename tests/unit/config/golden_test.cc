#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fanfare/config.h"

namespace fanfare {
namespace {

namespace fs = std::filesystem;

constexpr const char* golden_dir = FANFARE_SOURCE_DIR "/tests/golden/config_errors";

/// The variables that the golden files use. SECRET must never be seen in a message.
std::optional<std::string> golden_environment(const std::string& name) {
    static const std::map<std::string, std::string> variables = {
        {"FIVE", "5"}, {"SECRET", "s3cr3t"}, {"SPACES", "a b"}};
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
}

std::string read_text(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

std::string errors_of(const fs::path& file) {
    const LoadedConfig loaded =
        parse_config(read_text(file), file.filename().string(), golden_environment);
    const auto* const errors = std::get_if<std::vector<ConfigError>>(&loaded);
    if (errors == nullptr) return "accepted\n";
    std::string text;
    for (const ConfigError& error : *errors) text += error.text() + "\n";
    return text;
}

std::vector<std::string> golden_names() {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir)) {
        if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

class ConfigErrors : public testing::TestWithParam<std::string> {};

/// `FANFARE_UPDATE_GOLDEN=1` writes what is printed now; review it before it is committed.
TEST_P(ConfigErrors, are_printed_as_in_the_golden_file) {
    const bool needs_nats = GetParam().starts_with("nats_");
    if (needs_nats && !is_nats_built_in()) GTEST_SKIP() << "this build has no NATS";
    const fs::path yaml = fs::path(golden_dir) / (GetParam() + ".yaml");
    const fs::path golden = fs::path(golden_dir) / (GetParam() + ".txt");

    const std::string printed = errors_of(yaml);

    if (std::getenv("FANFARE_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << printed;
    EXPECT_EQ(printed, read_text(golden));
    EXPECT_NE(printed, "accepted\n");
    EXPECT_EQ(printed.find("s3cr3t"), std::string::npos) << "a secret is shown";
}

INSTANTIATE_TEST_SUITE_P(Golden, ConfigErrors, testing::ValuesIn(golden_names()),
                         [](const auto& golden) { return golden.param; });

TEST(ConfigErrorFiles, come_in_pairs) {
    std::size_t yaml = 0;
    std::size_t text = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(golden_dir)) {
        if (entry.path().extension() == ".yaml") ++yaml;
        if (entry.path().extension() == ".txt") ++text;
    }

    EXPECT_EQ(yaml, text);
    EXPECT_GE(yaml, 60U);
}

}  // namespace
}  // namespace fanfare
