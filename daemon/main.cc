#include <CLI/CLI.hpp>
#include <csignal>

#include "commands/command.h"

namespace {

using namespace fanfare;

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
    command::add_healthcheck(root, chosen);
    command::add_version(root, chosen);
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
