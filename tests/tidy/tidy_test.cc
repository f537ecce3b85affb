// The house rules that a program can check: layers, lengths, banned calls, what lies where.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = FANFARE_SOURCE_DIR;

/// Lowest first: a file may include its own layer and those before it. `error`, `clock` and the
/// like are the part of the public contract that belongs to the layer named.
const std::vector<std::string> layers = {"base",   "event",  "metrics", "history", "delivery",
                                         "http",   "sink",   "store",   "fleet",   "runtime",
                                         "server", "config", "nats",    "daemon"};

/// Where each public header belongs. A header that is missing here fails the test.
const std::vector<std::pair<std::string, std::string>> public_headers = {
    {"error.h", "base"},
    {"clock.h", "base"},
    {"budget.h", "base"},
    {"log.h", "base"},
    {"secret.h", "base"},
    {"credentials.h", "sink"},
    {"event.h", "event"},
    {"envelope.h", "event"},
    {"filter.h", "event"},
    {"outcome.h", "event"},
    {"sink.h", "event"},
    {"metrics.h", "metrics"},
    {"history.h", "history"},
    {"event_tally.h", "history"},
    {"streams.h", "server"},
    {"queue.h", "delivery"},
    {"dead_letters.h", "metrics"},
    {"storage.h", "store"},
    {"retry_policy.h", "delivery"},
    {"retry.h", "delivery"},
    {"sink_maker.h", "delivery"},
    {"tls.h", "http"},
    {"egress.h", "http"},
    {"endpoint.h", "runtime"},
    {"meta.h", "runtime"},
    {"channel_sink.h", "sink"},
    {"http_sink.h", "sink"},
    {"listener.h", "server"},
    {"broadcaster.h", "runtime"},
    {"config.h", "config"}};

struct Line {
    std::string file;  // relative to the root
    std::size_t number = 0;
    std::string text;

    std::string place() const { return file + ":" + std::to_string(number) + ": " + text; }
};

std::vector<Line> read(const fs::path& path) {
    std::vector<Line> lines;
    std::ifstream in(path);
    const std::string name = fs::relative(path, root).generic_string();
    for (std::string text; std::getline(in, text);) lines.push_back({name, lines.size() + 1, text});
    return lines;
}

bool is_source(const fs::path& path) {
    return path.extension() == ".cc" || path.extension() == ".h";
}

std::vector<fs::path> files_below(std::initializer_list<const char*> folders) {
    std::vector<fs::path> all;
    for (const char* folder : folders) {
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            const std::string name = entry.path().generic_string();
            if (name.find("node_modules") != std::string::npos) continue;
            if (entry.is_regular_file()) all.push_back(entry.path());
        }
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::vector<fs::path> sources_below(std::initializer_list<const char*> folders) {
    std::vector<fs::path> all = files_below(folders);
    std::erase_if(all, [](const fs::path& path) { return !is_source(path); });
    return all;
}

/// Fails for every line of `folders` that matches, except in `allowed` files.
void expect_nowhere(std::initializer_list<const char*> folders, const std::string& pattern,
                    const std::string& why, const std::set<std::string>& allowed = {}) {
    const std::regex regex(pattern);
    for (const fs::path& path : sources_below(folders)) {
        for (const Line& line : read(path)) {
            if (allowed.contains(line.file) || line.text.find("///") != std::string::npos) continue;
            const std::string code = line.text.substr(0, line.text.find("//"));
            EXPECT_FALSE(std::regex_search(code, regex)) << line.place() << "\n  " << why;
        }
    }
}

std::size_t rank(const std::string& layer) {
    const auto found = std::find(layers.begin(), layers.end(), layer);
    EXPECT_NE(found, layers.end()) << "unknown layer " << layer;
    return static_cast<std::size_t>(found - layers.begin());
}

std::string layer_of_public_header(const std::string& header) {
    for (const auto& [name, layer] : public_headers) {
        if (name == header) return layer;
    }
    ADD_FAILURE() << "public header without a layer: " << header;
    return "base";
}

std::string layer_of_file(const fs::path& path) {
    const std::string name = fs::relative(path, root).generic_string();
    if (name.starts_with("daemon/")) return "daemon";
    if (name.starts_with("lib/include/")) return layer_of_public_header(path.filename().string());
    const std::string below_src = name.substr(std::string("lib/src/").size());
    return below_src.substr(0, below_src.find('/'));
}

TEST(Tidy, every_file_includes_its_own_layer_and_lower_ones_only) {
    const std::regex include(R"re(^#include "([a-z_]+)/([^"]+)")re");
    std::size_t checked = 0;
    for (const fs::path& path : sources_below({"lib", "daemon"})) {
        const std::string layer = layer_of_file(path);
        for (const Line& line : read(path)) {
            std::smatch match;
            if (!std::regex_search(line.text, match, include)) continue;
            std::string included = match[1];
            if (included == "fanfare") included = layer_of_public_header(match[2]);
            if (included == "commands" || included == "web") included = "daemon";
            EXPECT_LE(rank(included), rank(layer)) << line.place();
            ++checked;
        }
    }
    EXPECT_GT(checked, 100U) << "the test has lost sight of the sources";
}

TEST(Tidy, public_headers_include_nothing_heavy_and_nothing_internal) {
    expect_nowhere(
        {"lib/include"},
        R"(#include [<"](boost/asio\.hpp|boost/beast|spdlog|yaml-cpp|prometheus|simdjson|nlohmann/json\.hpp|base/|http/|server/|sink/|runtime/|event/))",
        "public headers are the contract: light, and complete without src/");
}

TEST(Tidy, heavy_headers_stay_in_source_files) {
    for (const fs::path& path : sources_below({"lib", "daemon"})) {
        // What two files that read the same thing share is of use to nobody else.
        const std::string name = path.filename();
        const bool is_shared = name == "json_scratch.h" || name == "jetstream_ask.h";
        if (path.extension() != ".h" || is_shared) continue;
        const std::regex heavy(
            R"(#include <(boost/asio\.hpp|boost/beast|spdlog|yaml-cpp|prometheus|simdjson|nlohmann/json\.hpp))");
        for (const Line& line : read(path)) {
            EXPECT_FALSE(std::regex_search(line.text, heavy)) << line.place();
        }
    }
}

TEST(Tidy, lines_and_files_are_short) {
    for (const fs::path& path : sources_below({"lib", "daemon", "tests"})) {
        const std::vector<Line> lines = read(path);
        EXPECT_LE(lines.size(), 400U) << path;
        for (const Line& line : lines) {
            // A raw string of a test may be as long as what it stands for.
            const bool is_raw = line.text.find("R\"") != std::string::npos;
            // UTF-8: count characters, not bytes.
            const auto width = std::count_if(line.text.begin(), line.text.end(), [](char c) {
                return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
            });
            EXPECT_TRUE(is_raw || width <= 100) << line.place();
            EXPECT_EQ(line.text.find('\t'), std::string::npos) << line.place();
        }
    }
}

TEST(Tidy, functions_are_at_most_seventy_lines_long) {
    // Namespaces are not indented, so a function ends with a brace in the first column and begins
    // at the last line before it that starts there too.
    for (const fs::path& path : sources_below({"lib", "daemon"})) {
        const std::vector<Line> lines = read(path);
        std::size_t begin = 0;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            const std::string& text = lines[i].text;
            if (text == "}") {
                EXPECT_LE(i - begin, 70U) << lines[begin].place();
            }
            if (!text.empty() && text.front() != ' ') begin = i;
        }
    }
}

TEST(Tidy, coroutines_follow_the_rules_of_the_compiler) {
    expect_nowhere({"lib", "daemon"}, R"(\bdetached\b)",
                   "spawn by a TaskGroup, so that it is joined");
    expect_nowhere({"lib"}, R"(context_?\.stop\(\))", "loops end when their work has ended");
    expect_nowhere({"lib", "daemon"}, R"(auto \[.*\] = co_await)",
                   "GCC 15 leaks it: name it first");
    expect_nowhere({"lib", "daemon"}, R"(co_await .*\w\{)",
                   "GCC 12 destroys aggregates beside co_await twice");
    expect_nowhere({"lib", "daemon"}, R"(co_await .*\(\[[^\]]+\])",
                   "GCC 12 destroys closures beside co_await twice");
    expect_nowhere({"lib", "daemon"}, R"(\?.*co_await|co_await.*\?)",
                   "GCC 12 destroys operands of ?: beside co_await twice");
    expect_nowhere({"lib", "daemon"}, R"(\[[^\]]+\]\([^)]*\) (mutable )?-> awaitable)",
                   "a coroutine is a named function");
    // The files named stay on the executor that they are on.
    expect_nowhere(
        {"lib", "daemon"}, R"(\bco_spawn\()",
        "spawn by a TaskGroup; to another executor by run_on()",
        {"lib/src/base/task_group.cc", "lib/src/base/run_on.h", "lib/src/http/simple_client.cc",
         "lib/src/server/session.cc", "lib/src/sink/connection.cc"});
}

TEST(Tidy, time_comes_from_the_clock_and_names_from_the_resolver) {
    expect_nowhere({"lib"}, R"(steady_clock::now|system_clock::now|\btime\(nullptr\))",
                   "ask the Clock", {"lib/src/base/clock.cc"});
    expect_nowhere({"lib", "daemon"}, R"(async_resolve)", "see Resolver");
    // A command that watches, or one that gives the loops a last chance, may sleep: it has no loop.
    expect_nowhere({"lib"}, R"(sleep_for|sleep_until)", "see Clock");
    expect_nowhere({"lib"}, R"(steady_timer)", "see Clock", {"lib/src/base/clock.cc"});
    expect_nowhere({"tests/unit"}, R"(sleep_for|sleep_until)", "unit tests never sleep");
}

TEST(Tidy, one_file_knows_each_heavy_library) {
    expect_nowhere({"lib"}, R"(#include <simdjson)", "see event/json_view",
                   {"lib/src/event/json_view.cc", "lib/src/event/json_scratch.h"});
    expect_nowhere({"lib"}, R"(#include <yaml-cpp)", "see config/yaml_reader",
                   {"lib/src/config/yaml_reader.cc"});
    expect_nowhere({"lib"}, R"(#include <spdlog)", "see base/log", {"lib/src/base/log.cc"});
}

TEST(Tidy, log_messages_are_constant_phrases) {
    const std::regex call(R"(log(_|\(\))?\.(debug|info|warn|error)\()");
    const std::regex constant(R"(^\s*[^,()]+,\s*")");
    for (const fs::path& path : sources_below({"lib", "daemon"})) {
        if (path.filename() == "log.cc") continue;
        std::string text;
        for (const Line& line : read(path)) text += line.text + '\n';
        std::sregex_iterator found(text.begin(), text.end(), call);
        for (; found != std::sregex_iterator(); ++found) {
            const std::string rest = found->suffix().str().substr(0, 200);
            EXPECT_TRUE(std::regex_search(rest, constant))
                << path << ": the message is a literal, what varies is a field\n"
                << rest;
        }
    }
}

TEST(Tidy, the_top_level_holds_what_it_should) {
    const std::set<std::string> expected = {"daemon",
                                            "lib",
                                            "config",
                                            "deploy",
                                            "tests",
                                            "CMakeLists.txt",
                                            "Dockerfile",
                                            "README.md",
                                            ".clang-format",
                                            ".clang-tidy",
                                            ".gitignore",
                                            ".dockerignore",
                                            "CMakePresets.json",
                                            "LICENSE",
                                            "CHANGELOG.md",
                                            "CONTRIBUTING.md",
                                            ".ci",
                                            ".git",
                                            "build"};
    for (const auto& entry : fs::directory_iterator(root)) {
        const std::string name = entry.path().filename().string();
        EXPECT_TRUE(expected.contains(name)) << name << " does not belong at the top level";
    }
}

TEST(Tidy, nothing_speaks_of_a_machine) {
    const std::regex machine(R"((^|[^a-zA-Z0-9_.])/(work|farm|root|home/[a-z]+)/|\bAI\b|\bLLM\b)");
    for (const fs::path& path : files_below({"daemon", "lib", "config", "deploy", "tests"})) {
        const std::string name = path.generic_string();
        if (name.find("/tests/data/") != std::string::npos || path.filename() == "tidy_test.cc" ||
            name.find("package-lock") != std::string::npos || name.ends_with(".pyc")) {
            continue;
        }
        for (const Line& line : read(path)) {
            EXPECT_FALSE(std::regex_search(line.text, machine)) << line.place();
        }
    }
}

TEST(Tidy, every_relative_link_in_a_document_leads_somewhere) {
    const std::regex link(R"(\]\(([^)#: ]+)(#[^)]*)?\))");
    std::vector<fs::path> documents = files_below({"daemon", "lib", "config", "deploy", "tests"});
    std::erase_if(documents, [](const fs::path& path) { return path.extension() != ".md"; });
    for (const char* name : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}) {
        documents.push_back(root / name);
    }
    for (const fs::path& path : documents) {
        for (const Line& line : read(path)) {
            std::sregex_iterator found(line.text.begin(), line.text.end(), link);
            for (; found != std::sregex_iterator(); ++found) {
                const fs::path target = path.parent_path() / (*found)[1].str();
                EXPECT_TRUE(fs::exists(target)) << line.place();
            }
        }
    }
}

}  // namespace
