#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/posts.h"
#include "commands/table.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

struct Options {
    AdminTarget admin;
    std::string file;
    std::string content_type;
};

/// A row per endpoint, and one more for each further reason.
void add_rows(const json& match, std::vector<Row>& rows) {
    std::string event = shown(match, "event_id");
    for (const json& endpoint : match.value("endpoints", json::array())) {
        const bool takes = endpoint.value("takes", false);
        Row row{event, shown(endpoint, "name"), takes ? "yes" : "no", "-"};
        for (const json& reason : endpoint.value("why_not", json::array())) {
            if (reason.is_string()) row.back() = printable(reason.get<std::string>());
            rows.push_back(row);
            row = {"", "", "", ""};
        }
        if (takes) rows.push_back(row);
        event.clear();
    }
}

int run(const Options& options) {
    Post post = sample_post();
    if (!options.file.empty()) {
        Result<Post> read = read_post(options.file, options.content_type);
        if (!read) return fail(read.error().message());
        post = std::move(*read);
    }
    const AdminRequest request{.method = "POST",
                               .path = "/v1/match",
                               .content_type = std::move(post.content_type),
                               .body = std::move(post.body)};
    const Result<std::string> body = call_admin(options.admin, request);
    if (!body) return fail(body.error().message());
    if (options.admin.as_json) return print(*body).value_or(ok);
    const Result<json> answer = parse_answer(options.admin, *body);
    if (!answer) return fail(answer.error().message());
    std::vector<Row> rows{{"EVENT", "ENDPOINT", "TAKES", "WHY-NOT"}};
    for (const json& match : answer->value("matches", json::array())) add_rows(match, rows);
    return print(table(rows)).value_or(ok);
}

}  // namespace

void add_match(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("match", "Tell which endpoints would take an event, and why not");
    const auto options = std::make_shared<Options>();
    command->add_option("FILE", options->file,
                        "A file with events, - for standard input; none: a sample registry event");
    command->add_option("--content-type", options->content_type,
                        "Content-Type; else guessed from the file's name and content");
    add_admin_options(*command, options->admin);
    command->footer(
        "Nothing is queued or sent.\n\n"
        "Examples:\n"
        "  fanfare match event.json\n"
        "  echo '{\"action\":\"pull\"}' | fanfare match -");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
