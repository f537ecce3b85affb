#include <CLI/CLI.hpp>
#include <memory>

#include "commands/command.h"
#include "commands/http_call.h"

namespace fanfare::command {
namespace {

int run(const std::string& url) {
    SimpleRequest request;
    request.url = url_with_default(url, "/readyz");
    request.timeout = std::chrono::seconds(5);
    const Result<SimpleResponse> answer = fetch(request);
    if (!answer) return fail(answer.error().message());
    if (answer->status != 200) return fail(explain(request, *answer));
    return ok;
}

}  // namespace

void add_healthcheck(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("healthcheck", "Exit 0 if the daemon is ready, for container images");
    const auto url = std::make_shared<std::string>("http://127.0.0.1:8081/readyz");
    command->add_option("--url", *url, "The daemon's /readyz, or unix:/path of its admin socket")
        ->capture_default_str();
    command->footer("Example: fanfare healthcheck --url http://127.0.0.1:8081/readyz");
    command->callback([&chosen, url] { chosen = [url] { return run(*url); }; });
}

}  // namespace fanfare::command
