#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/admin_call.h"
#include "commands/command.h"
#include "commands/http_call.h"
#include "commands/posts.h"

namespace fanfare::command {
namespace {

struct Options {
    std::string url = "http://127.0.0.1:8080/events";
    std::vector<std::string> files;
    std::string content_type;
    std::string token_file;
    unsigned count = 1;
};

/// Adds up what the daemon says it has accepted.
class Tally {
  public:
    void add(const std::string& body) {
        ++requests_;
        const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
        if (!answer.is_object()) return;
        accepted_ += answer.value("accepted", std::uint64_t{0});
        duplicates_ += answer.value("duplicates", std::uint64_t{0});
        if (!answer.contains("first_seq")) return;
        if (first_seq_ == 0) first_seq_ = answer.value("first_seq", std::uint64_t{0});
        last_seq_ = answer.value("last_seq", std::uint64_t{0});
    }

    std::string text() const {
        std::string result = "accepted " + counted(accepted_, "event");
        if (requests_ > 1) result += " in " + counted(requests_, "request");
        if (first_seq_ != 0) result += ", seq " + std::to_string(first_seq_);
        if (last_seq_ != first_seq_) result += '-' + std::to_string(last_seq_);
        if (duplicates_ != 0) result += "; " + counted(duplicates_, "duplicate");
        return result + '\n';
    }

    std::uint64_t requests() const { return requests_; }

  private:
    std::uint64_t requests_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t duplicates_ = 0;
    std::uint64_t first_seq_ = 0;
    std::uint64_t last_seq_ = 0;
};

/// The message of what went wrong; empty if nothing did.
std::string send_one(const Options& options, Post post, Tally& tally) {
    SimpleRequest request;
    request.method = "POST";
    request.url = url_with_default(options.url, "/events");
    request.headers.emplace_back("Content-Type", std::move(post.content_type));
    request.body = std::move(post.body);
    const Result<void> token = add_token(request, options.token_file);
    if (!token) return token.error().message();
    const Result<SimpleResponse> answer = fetch(request);
    if (!answer) return answer.error().message();
    if (answer->status != 202) return explain(request, *answer);
    tally.add(answer->body);
    return {};
}

/// Sends `make()` as often as asked for, or until something goes wrong.
template <class Make>
std::string send_all(const Options& options, Make make, Tally& tally) {
    std::string problem;
    for (unsigned i = 0; i < options.count && problem.empty(); ++i) {
        problem = send_one(options, make(), tally);
    }
    return problem;
}

int run(const Options& options) {
    Tally tally;
    std::string problem;
    if (options.files.empty()) problem = send_all(options, sample_post, tally);
    for (const std::string& file : options.files) {
        const Result<Post> post = read_post(file, options.content_type);
        if (!post) {
            problem = post.error().message();
        } else {
            problem = send_all(
                options, [&post] { return *post; }, tally);
            if (!problem.empty()) problem = file + ": " + problem;
        }
        if (!problem.empty()) break;
    }
    // What was accepted before something went wrong has been accepted all the same.
    std::optional<int> code;
    if (tally.requests() > 0) code = print(tally.text());
    if (!problem.empty()) return fail(problem);
    return code.value_or(ok);
}

}  // namespace

void add_send(CLI::App& root, Chosen& chosen) {
    CLI::App* const command = root.add_subcommand("send", "Post events to an ingest listener");
    const auto options = std::make_shared<Options>();
    command->add_option("FILE", options->files,
                        "Files to post, - for standard input; none: a sample registry event");
    command
        ->add_option("--url", options->url, "Where to post to, or unix:/path of the ingest socket")
        ->capture_default_str();
    command->add_option("--content-type", options->content_type,
                        "Content-Type; else guessed from the file's name and content");
    command->add_option("--token-file", options->token_file, "File with the bearer token to send")
        ->type_name("FILE");
    command->add_option("--count", options->count, "How often to post each of them")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->footer(
        "Prints what was accepted; exits 1 with the server's message if it refuses.\n\n"
        "Examples:\n"
        "  fanfare send\n"
        "  fanfare send --count 100 events.json\n"
        "  cat events.ndjson | fanfare send --content-type application/x-ndjson -");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
