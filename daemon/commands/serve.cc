#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "app.h"
#include "build_info.h"
#include "commands/command.h"
#include "config/config_text.h"
#include "descriptors.h"
#include "fanfare/config.h"
#include "signals.h"

namespace fanfare::command {
namespace {

/// For what cannot be cancelled: a name lookup that hangs in the C library.
constexpr Duration exit_limit = std::chrono::milliseconds(500);

int refuse(const std::vector<ConfigError>& errors) {
    for (const ConfigError& error : errors) std::fprintf(stderr, "%s\n", error.text().c_str());
    return config_refused;
}

int run(Reloader::Start start, std::vector<std::string> words) {
    Config config = start.config;
    Log log(config.log);
    share_descriptors(config, raise_descriptor_limit(), log);
    for (const std::string& warning : config.warnings) {
        log.warn("config", "remark on the configuration", {{"remark", warning}});
    }
    App app(std::move(config), log, Identity{build_info(), std::move(words)});
    app.follow(std::move(start));
    Signals::Handlers handlers;
    handlers.on_stop = [&app] { app.stop(); };
    handlers.on_hangup = [&app] { app.reload(); };
    Signals signals(app.context(), std::move(handlers));
    app.on_stopped([&signals] { signals.close(); });
    const Result<void> started = app.start();
    if (!started) {
        signals.close();
        return fail(started.error().message());
    }
    app.run();
    const int code = app.has_failed() ? failed : ok;
    // All is delivered or counted by now.
    end_within(exit_limit, code);
    return code;
}

int load_and_run(const std::string& option, const std::vector<std::string>& words) {
    Reloader::Start start;
    start.file = config_file(option);
    Result<ConfigText> text = read_config_text(start.file);
    if (!text) return refuse({{start.file, 0, 0, {}, text.error().message()}});
    start.text = std::move(*text);
    LoadedConfig loaded = parse_config(start.text.text, start.file);
    if (const auto* errors = std::get_if<std::vector<ConfigError>>(&loaded)) return refuse(*errors);
    start.config = std::move(std::get<Config>(loaded));
    return run(std::move(start), words);
}

}  // namespace

void add_serve(CLI::App& root, Chosen& chosen, const std::vector<std::string>& words) {
    CLI::App* const command = root.add_subcommand("serve", "Run the daemon in the foreground");
    const auto file = std::make_shared<std::string>();
    command
        ->add_option("-c,--config", *file,
                     "Configuration; else $FANFARE_CONFIG, else /etc/fanfare/fanfare.yaml")
        ->type_name("FILE");
    command->footer(
        "SIGTERM or SIGINT end it: no new events, queues drain within shutdown.drain.\n"
        "A second signal ends it at once. It takes a configuration that changes over by itself,\n"
        "and on SIGHUP.\n\n"
        "Example: fanfare serve -c fanfare.yaml");
    command->callback([&chosen, file, &words] {
        chosen = [file, &words] { return load_and_run(*file, words); };
    });
}

}  // namespace fanfare::command
