#include "config/reference.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "config/schema.h"
#include "config_support.h"

namespace fanfare::test {
namespace {

/// `FANFARE_UPDATE_GOLDEN=1` writes the documents anew.
bool is_updating() { return std::getenv("FANFARE_UPDATE_GOLDEN") != nullptr; }

void write_file(const std::string& name, const std::string& text) {
    std::ofstream(std::string(FANFARE_SOURCE_DIR "/") + name, std::ios::binary) << text;
}

constexpr const char* begin_mark = "<!-- begin: written by the program -->\n";
constexpr const char* end_mark = "<!-- end -->\n";

TEST(Reference, readme_has_the_table_that_the_program_writes) {
    std::string readme = file_text("config/README.md");
    const std::size_t begin = readme.find(begin_mark) + std::string(begin_mark).size();
    const std::size_t end = readme.find(end_mark);
    ASSERT_LE(begin, end);
    if (is_updating()) {
        std::string updated = readme;
        updated.replace(begin, end - begin, config_reference_markdown());
        write_file("config/README.md", updated);
    }

    EXPECT_EQ(readme.substr(begin, end - begin), config_reference_markdown());
}

TEST(Reference, json_schema_is_the_one_that_the_program_writes) {
    if (is_updating()) write_file("config/fanfare.schema.json", config_json_schema());

    EXPECT_EQ(file_text("config/fanfare.schema.json"), config_json_schema());
}

TEST(Reference, default_file_is_the_one_that_the_program_writes) {
    if (is_updating()) write_file("config/fanfare.yaml", config_default_yaml());

    EXPECT_EQ(file_text("config/fanfare.yaml"), config_default_yaml());
}

TEST(Reference, default_file_equals_the_built_in_defaults) {
    EXPECT_EQ(config_of(config_default_yaml()), Config());
}

TEST(Reference, default_file_has_the_built_in_defaults_of_endpoints) {
    std::string text = config_default_yaml();
    const std::string list = "endpoints: []";
    text.replace(text.find("\n" + list) + 1, list.size(),
                 "endpoints: [{name: a, url: 'http://a/'}]");

    const Config config = config_of(text);

    EndpointConfig expected;
    expected.name = "a";
    expected.http.url = "http://a/";
    ASSERT_EQ(config.endpoints.size(), 1U);
    EXPECT_EQ(config.endpoints[0], expected);
}

/// Every `name:` in the default file, commented out or not.
void expect_all_names(const std::vector<Key>& keys, const std::string& text) {
    for (const Key& key : keys) {
        EXPECT_NE(text.find(" " + key.name + ":"), std::string::npos) << key.name;
        if (const auto* const mapping = std::get_if<MappingKind>(&key.kind)) {
            expect_all_names(mapping->keys, text);
        }
    }
}

TEST(Reference, default_file_names_every_key) {
    std::string text = config_default_yaml();
    for (std::size_t i = 0; (i = text.find('\n', i)) != std::string::npos; i += 2) {
        text.replace(i, 1, "\n ");
    }

    expect_all_names(make_schema().top, text);
    expect_all_names(make_schema().endpoint, text);
}

TEST(Reference, default_file_loads_with_its_examples_switched_on) {
    const std::regex switched_off("( *)# ([a-z_]+:( .*)?)");
    std::istringstream lines(config_default_yaml());
    std::string text;
    for (std::string line; std::getline(lines, line);) {
        const bool is_key = line.find("notifications") == std::string::npos;
        text += (is_key ? std::regex_replace(line, switched_off, "$1$2") : line) + "\n";
    }

    const Config config = config_of(text);

    EXPECT_EQ(config.ingest.listener.tls.cert_file, "/etc/fanfare/tls.crt");
    EXPECT_EQ(config.admin.bearer_token_file, "/run/secrets/admin-token");
}

TEST(Reference, json_schema_names_every_key) {
    const nlohmann::json schema = nlohmann::json::parse(config_json_schema());

    EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    for (const Key& key : make_schema().top) {
        EXPECT_TRUE(schema["properties"].contains(key.name)) << key.name;
    }
    for (const Key& key : make_schema().endpoint) {
        EXPECT_TRUE(schema["definitions"]["endpoint"]["properties"].contains(key.name)) << key.name;
        EXPECT_EQ(schema["definitions"]["defaults"]["properties"].contains(key.name),
                  !key.is_required);
    }
}

TEST(Reference, shipped_examples_load) {
    const Environment variables = environment({{"AUDIT_TOKEN", "x"}, {"SEARCH_PASSWORD", "y"}});

    EXPECT_EQ(config_of(file_text("config/minimal.yaml")).endpoints.size(), 1U);
    EXPECT_GE(config_of(file_text("config/examples/full.yaml"), variables).endpoints.size(), 3U);
    const Config registry = config_of(file_text("config/examples/registry.yaml"));
    EXPECT_EQ(registry.endpoints.size(), 2U);
    EXPECT_EQ(registry.warnings.size(), 1U);
    for (const char* const chat : {"slack", "discord", "teams", "ntfy", "text-line"}) {
        EXPECT_EQ(
            config_of(file_text(std::string("config/examples/") + chat + ".yaml")).endpoints.size(),
            1U);
    }
}

}  // namespace
}  // namespace fanfare::test
