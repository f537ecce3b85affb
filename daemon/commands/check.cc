#include <CLI/CLI.hpp>
#include <memory>

#include "commands/command.h"
#include "config/reference.h"
#include "fanfare/config.h"

namespace fanfare::command {
namespace {

struct Options {
    std::string file;
    bool print_schema = false;
    bool print_reference = false;
    bool print_defaults = false;
};

int check_file(const std::string& file) {
    const LoadedConfig loaded = load_config(file);
    if (const auto* errors = std::get_if<std::vector<ConfigError>>(&loaded)) {
        for (const ConfigError& error : *errors) std::fprintf(stderr, "%s\n", error.text().c_str());
        return config_refused;
    }
    const Config& config = std::get<Config>(loaded);
    for (const std::string& warning : config.warnings) {
        std::fprintf(stderr, "%s: warning: %s\n", file.c_str(), warning.c_str());
    }
    const std::size_t count = config.endpoints.size();
    const std::string noun = count == 1 ? " endpoint" : " endpoints";
    return print(file + ": ok, " + std::to_string(count) + noun + '\n').value_or(ok);
}

int run(const Options& options) {
    std::string text;
    if (options.print_schema) text += config_json_schema();
    if (options.print_reference) text += config_reference_markdown();
    if (options.print_defaults) text += config_default_yaml();
    if (text.empty()) return check_file(config_file(options.file));
    return print(text).value_or(ok);
}

}  // namespace

void add_check(CLI::App& root, Chosen& chosen) {
    CLI::App* const command = root.add_subcommand("check", "Validate a configuration");
    const auto options = std::make_shared<Options>();
    command
        ->add_option("-c,--config", options->file,
                     "Configuration; else $FANFARE_CONFIG, else /etc/fanfare/fanfare.yaml")
        ->type_name("FILE");
    CLI::Option_group* const prints = command->add_option_group("print instead");
    prints->add_flag("--print-schema", options->print_schema, "Print the JSON Schema for editors");
    prints->add_flag("--print-reference", options->print_reference, "Print the table of all keys");
    prints->add_flag("--print-defaults", options->print_defaults,
                     "Print a file with every key at its default");
    prints->require_option(0, 1);
    command->footer(
        "Prints every problem, with file, line and column, and exits 78 if there is any.\n\n"
        "Example: fanfare check -c fanfare.yaml");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
