// Damaged and hostile files: always an answer, never a crash.
#include <gtest/gtest.h>

#include <random>

#include "config/yaml_reader.h"
#include "config_support.h"

namespace fanfare::test {
namespace {

/// Pieces that mean something to YAML or to us.
constexpr const char* pieces[] = {
    "\n",   ": ",   "- ",           "[",     "]",          "{",     "}",   "\"",
    "'",    "&a ",  "*a",           "<<: ",  "|\n",        ">-\n",  "? ",  "!!str ",
    "!x ",  "#",    "---\n",        "...\n", "%YAML",      "${",    "}",   "${A:-",
    "$${",  "\t",   "\r",           "~",     "null",       "5",     "-1s", "1e9",
    "\xff", "\xc3", "\xef\xbb\xbf", "\x04",  "endpoints:", "x-a: ", "   ", "@"};

std::string mutate(std::string text, std::mt19937_64& random) {
    const std::size_t changes = 1 + random() % 8;
    for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
        const std::size_t at = random() % text.size();
        const std::size_t length = random() % 20;
        switch (random() % 5) {
            case 0:
                text.erase(at, length);
                break;
            case 1:
                text.insert(at, pieces[random() % std::size(pieces)]);
                break;
            case 2:
                text.insert(at, text.substr(random() % text.size(), length * 3));
                break;
            case 3:
                text[at] = static_cast<char>(random());
                break;
            default:
                text.replace(at, length, pieces[random() % std::size(pieces)]);
                break;
        }
    }
    return text;
}

TEST(Robustness, answers_every_mutation_of_a_good_file) {
    const std::uint64_t seed = 20261120;
    std::mt19937_64 random(seed);
    const Environment variables = environment({{"AUDIT_TOKEN", "x"}, {"SEARCH_PASSWORD", "y"}});
    const std::string files[] = {file_text("config/examples/full.yaml"),
                                 file_text("config/examples/registry.yaml"),
                                 file_text("config/fanfare.yaml")};
    std::size_t accepted = 0;
    std::size_t refused = 0;

    for (int i = 0; i < 1000; ++i) {
        const std::string text = mutate(files[random() % std::size(files)], random);
        const LoadedConfig loaded = parse_config(text, "f", variables);
        const auto* const errors = std::get_if<std::vector<ConfigError>>(&loaded);
        ++(errors == nullptr ? accepted : refused);
        if (errors == nullptr) continue;
        ASSERT_FALSE(errors->empty()) << "seed " << seed << "\n" << text;
        for (const ConfigError& error : *errors) {
            ASSERT_GT(error.line, 0) << "seed " << seed << "\n" << text;
            ASSERT_GT(error.column, 0) << "seed " << seed << "\n" << text;
            ASSERT_EQ(error.text().find('\n'), std::string::npos) << error.text();
        }
    }

    std::cout << "seed " << seed << ": " << accepted << " accepted, " << refused << " refused\n";
    EXPECT_GT(accepted, 0U);
    EXPECT_GT(refused, 0U);
}

TEST(Robustness, refuses_every_truncation_of_a_quoted_file_or_takes_it) {
    const std::string text =
        "endpoints:\n  - {name: \"a\", url: 'http://a/', headers: {X: \"${A:-b}\"}}\n";

    for (std::size_t size = 0; size < text.size(); ++size) {
        const std::string part = text.substr(0, size);
        const bool is_whole = size + 1 == text.size();
        EXPECT_EQ(errors_in(part).empty(), is_whole) << part;
    }
}

std::string repeated(const std::string& piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
}

TEST(Robustness, answers_absurd_files) {
    const std::string end = "\nendpoints: []\n";
    const std::string absurd[] = {"x-a: " + repeated("[", 100000),
                                  "x-a: " + repeated("{a: ", 100000),
                                  repeated("- ", 100000),
                                  repeated("? ", 100000),
                                  repeated("a: &a\n", 20000),
                                  "x-a: " + repeated("&a ", 20000) + "1" + end,
                                  "x-a: " + repeated("!t ", 20000) + end,
                                  repeated("---\n", 20000),
                                  repeated("%YAML 1.1\n", 20000),
                                  repeated("*a ", 20000),
                                  repeated("\"", 20001),
                                  repeated("'", 20001),
                                  repeated("|\n", 20000),
                                  repeated("\n", 100000),
                                  repeated("# x\n", 100000),
                                  repeated("key", 100000) + ": 1" + end};

    for (const std::string& text : absurd) {
        EXPECT_NE(errors_in(text), "") << text.substr(0, 20);
    }
}

TEST(Robustness, bounds_what_many_keys_cost) {
    std::string keys;
    for (int i = 0; i < 20000; ++i) keys += "  k" + std::to_string(i) + ": 1\n";
    std::string items;
    for (int i = 0; i < 20000; ++i) items += "a" + std::to_string(i) + ",";

    EXPECT_NE(errors_in("endpoints:\n- " + keys.substr(2)), "");
    EXPECT_NE(errors_in("ingest: {listen: [" + items + "]}\nendpoints: []\n"), "");
    EXPECT_NE(errors_in("defaults: {ignore: {actions: [" + items + "]}}\nendpoints: []\n"), "");
    EXPECT_NE(errors_in("defaults: {headers: {A: [" + items + "]}}\nendpoints: []\n"), "");
}

TEST(YamlReader, counts_what_aliases_repeat) {
    const auto read = read_yaml("a: &a [1, 2]\nb: [*a, *a]\n");

    const auto* const root = std::get_if<YamlPtr>(&read);
    ASSERT_NE(root, nullptr);
    EXPECT_EQ((*root)->values, 1U + 3U + 7U);
}

TEST(YamlReader, takes_as_many_levels_as_it_says) {
    const auto nested = [](std::size_t depth) {
        return read_yaml(repeated("[", depth) + repeated("]", depth)).index();
    };

    EXPECT_EQ(nested(yaml_depth_max), 0U);
    EXPECT_EQ(nested(yaml_depth_max + 1), 1U);
}

}  // namespace
}  // namespace fanfare::test
