#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>

#include "base/units.h"
#include "commands/command.h"
#include "config/suggest.h"

namespace {

using namespace fanfare;

/// `srve` for `serve`: CLI11 would only say that a command is missing.
std::string unknown_command(const CLI::App& root, const std::vector<std::string>& words) {
    if (words.size() < 2 || words[1].starts_with('-')) return {};
    std::vector<std::string> names;
    for (const CLI::App* const command : root.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    if (std::find(names.begin(), names.end(), words[1]) != names.end()) return {};
    const std::string meant = suggest(words[1], names);
    std::string message = "unknown command " + in_quotes(words[1]);
    if (!meant.empty()) message += ", did you mean " + in_quotes(meant) + "?";
    return message;
}

int run(int argc, char** argv) {
    CLI::App root("Delivers events as webhooks to every endpoint, and tells how that goes.",
                  "fanfare");
    root.require_subcommand(1);
    root.footer(
        "Exit codes: 0 ok, 1 failed, 2 wrong usage, 78 configuration refused,\n"
        "130 ended by a second signal. `fanfare COMMAND --help` says more.");
    const std::vector<std::string> words(argv, argv + argc);
    command::Chosen chosen;
    command::add_serve(root, chosen, words);
    command::add_check(root, chosen);
    command::add_listen(root, chosen);
    command::add_send(root, chosen);
    command::add_status(root, chosen);
    command::add_tail(root, chosen);
    command::add_events(root, chosen);
    command::add_endpoints(root, chosen);
    command::add_dead_letters(root, chosen);
    command::add_replay(root, chosen);
    command::add_endpoint_actions(root, chosen);
    command::add_match(root, chosen);
    command::add_reload(root, chosen);
    command::add_store(root, chosen);
    command::add_healthcheck(root, chosen);
    command::add_completion(root, chosen);
    command::add_version(root, chosen);
    root.set_version_flag("--version", [] { return command::version_text(); });
    const std::string unknown = unknown_command(root, words);
    if (!unknown.empty()) {
        return command::fail(unknown + "; see fanfare --help", command::wrong_usage);
    }
    try {
        root.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return root.exit(help);
    } catch (const CLI::ParseError& error) {
        return command::fail(std::string(error.what()) + "; see fanfare --help",
                             command::wrong_usage);
    }
    return chosen();
}

}  // namespace

int main(int argc, char** argv) {
    // Writing to what nobody reads any more is an error to be dealt with, not a reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        return command::fail(error.what());
    }
}
