#include <openssl/crypto.h>
#include <simdjson.h>
#include <spdlog/version.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

#include "build_info.h"
#include "commands/command.h"

namespace fanfare::command {
namespace {

std::string dotted(int major, int minor, int patch) {
    return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

}  // namespace

std::string version_text() {
    const BuildInfo& build = build_info();
    std::string text = "fanfare " + build.version + '\n';
    const auto line = [&text](const std::string& name, const std::string& value) {
        text += name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + value + '\n';
    };
    line("commit", build.commit);
    line("compiler", build.compiler);
    line("boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100));
    line("openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    line("simdjson", dotted(simdjson::SIMDJSON_VERSION_MAJOR, simdjson::SIMDJSON_VERSION_MINOR,
                            simdjson::SIMDJSON_VERSION_REVISION));
    line("sqlite", sqlite3_libversion());
    line("nlohmann_json", dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                 NLOHMANN_JSON_VERSION_PATCH));
    line("spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH));
    line("CLI11", CLI11_VERSION);
    text.pop_back();  // the last line's end
    return text;
}

namespace {

int run() { return print(version_text() + '\n').value_or(ok); }

}  // namespace

void add_version(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("version", "Print version, commit, compiler and library versions");
    command->footer("Example: fanfare version");
    command->callback([&chosen] { chosen = run; });
}

}  // namespace fanfare::command
