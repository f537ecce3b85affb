#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/completion_scripts.h"
#include "config/checks.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

/// Nobody waits longer for a completion.
constexpr Duration answer_max = std::chrono::seconds(1);

struct Options {
    std::string what;
    AdminTarget admin;
};

/// By the word that stands for the value in the help.
ValueKind kind_of(const std::string& word) {
    if (word == "FILE") return ValueKind::file;
    if (word == "DIR") return ValueKind::directory;
    if (word == "NAME") return ValueKind::endpoint;
    if (word == "REASON") return ValueKind::reason;
    if (word == "SHELL") return ValueKind::shell;
    return ValueKind::nothing_known;
}

CompletedOption describe(const CLI::Option& option) {
    CompletedOption result;
    for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
    for (const std::string& name : option.get_snames()) result.names.push_back('-' + name);
    result.description = option.get_description();
    result.has_value = option.get_items_expected_max() > 0;
    const std::string type = option.get_type_name();
    result.value = kind_of(type.substr(0, type.find_first_of(": ")));
    return result;
}

void add_options(const CLI::App& app, CompletedCommand& command) {
    for (const CLI::Option* const option : app.get_options()) {
        if (option->get_positional()) {
            command.argument = kind_of(option->get_name(true));
        } else {
            command.options.push_back(describe(*option));
        }
    }
    // A group of options is a command without a name, but with a help of its own.
    for (const CLI::App* const inner : app.get_subcommands({})) {
        if (!inner->get_name().empty()) continue;
        for (const CLI::Option* const option : inner->get_options()) {
            if (option != inner->get_help_ptr()) command.options.push_back(describe(*option));
        }
    }
}

void describe(const CLI::App& app, const std::string& path, std::vector<CompletedCommand>& into) {
    CompletedCommand command;
    command.path = path;
    command.description = app.get_description();
    add_options(app, command);
    into.push_back(std::move(command));
    for (const CLI::App* const inner : app.get_subcommands({})) {
        const std::string& name = inner->get_name();
        if (!name.empty()) describe(*inner, path + '/' + name, into);
    }
}

/// One endpoint's name per line; nothing if nobody answers. Shells ask for them, and are given
/// nothing that is no name: whoever answers at the address may say anything.
int print_endpoint_names(const AdminTarget& target) {
    const Result<std::string> body =
        call_admin(target, {.path = "/v1/endpoints", .timeout = answer_max});
    if (!body) return failed;
    const json list = json::parse(*body, nullptr, false);
    if (!list.is_object()) return failed;
    std::string names;
    for (const json& endpoint : list.value("endpoints", json::array())) {
        const std::string name = shown(endpoint, "name");
        if (!check_endpoint_name(name, name)) names += name + '\n';
    }
    return print(names).value_or(ok);
}

int run(const CLI::App& root, const Options& options) {
    if (options.what == "endpoint-names") return print_endpoint_names(options.admin);
    std::vector<CompletedCommand> commands;
    describe(root, "", commands);
    return print(options.what == "bash" ? bash_completion(commands) : zsh_completion(commands))
        .value_or(ok);
}

}  // namespace

void add_completion(CLI::App& root, Chosen& chosen) {
    CLI::App* const command = root.add_subcommand(
        "completion", "Print a script that lets bash or zsh complete commands and names");
    const auto options = std::make_shared<Options>();
    command
        ->add_option("SHELL", options->what,
                     "bash or zsh; endpoint-names prints what the scripts complete names from")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "endpoint-names"}));
    command->add_option("--url", options->admin.url, "For endpoint-names: the admin listener")
        ->type_name("URL")
        ->capture_default_str();
    command
        ->add_option("--token-file", options->admin.token_file,
                     "For endpoint-names: file with the admin bearer token")
        ->type_name("FILE");
    command->footer(
        "Names of endpoints are asked of the daemon that the command line names, if it answers\n"
        "within a second.\n\n"
        "Examples:\n"
        "  source <(fanfare completion bash)        # in ~/.bashrc\n"
        "  source <(fanfare completion zsh)         # in ~/.zshrc, behind compinit\n"
        "  fanfare completion bash > /etc/bash_completion.d/fanfare\n"
        "  fanfare completion zsh > /usr/local/share/zsh/site-functions/_fanfare");
    command->callback(
        [&root, &chosen, options] { chosen = [&root, options] { return run(root, *options); }; });
}

}  // namespace fanfare::command
