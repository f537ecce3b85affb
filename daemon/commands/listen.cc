#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "base/secret_file.h"
#include "base/task_group.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "base/wakeup.h"
#include "commands/command.h"
#include "server/http_server.h"
#include "signals.h"
#include "sink/verifier.h"

namespace fanfare::command {
namespace {

struct Options {
    std::vector<std::string> listen{"127.0.0.1:9000"};
    int status = 204;
    std::string fail_text = "0%";
    std::string delay_text = "0s";
    std::vector<std::string> secrets;
    std::vector<std::string> secret_files;
    bool is_verbose = false;
};

struct Behaviour {
    int status = 204;
    double fail_probability = 0;
    Duration delay{};
    bool is_verbose = false;
    std::optional<Verifier> verifier = std::nullopt;  ///< none: anything goes
};

std::string text_at(const nlohmann::json& event, const char* pointer) {
    const nlohmann::json::json_pointer place(pointer);
    if (!event.is_object() || !event.contains(place)) return "-";
    const nlohmann::json& value = event.at(place);
    return value.is_string() ? printable(value.get_ref<const std::string&>()) : "-";
}

/// What the line says of the events in a body: those of the first one, and how many there are.
struct Content {
    std::string id = "-";
    std::string action = "-";
    std::string repository = "-";
    std::size_t events = 1;
};

Content look_into(const std::string& body) {
    Content content;
    const nlohmann::json root = nlohmann::json::parse(body, nullptr, false);
    const bool is_envelope =
        root.is_object() && root.contains("events") && root["events"].is_array();
    if (is_envelope) content.events = root["events"].size();
    if (content.events == 0) return content;
    const nlohmann::json& first = is_envelope ? root["events"][0] : root;
    content.id = text_at(first, "/id");
    content.action = text_at(first, "/action");
    content.repository = text_at(first, "/target/repository");
    return content;
}

/// Takes every request, answers as it was told to, and prints a line about each.
class Receiver final : public RequestHandler {
  public:
    /// `on_unread` is called once nobody reads the output any more.
    Receiver(Behaviour behaviour, Clock& clock, std::function<void()> on_unread)
        : behaviour_(behaviour), clock_(clock), on_unread_(std::move(on_unread)) {}

    std::string_view allowed_methods() const noexcept override { return "GET, HEAD, POST, PUT"; }

    std::optional<Response> refuse(const RequestHead&, const Peer&) override {
        return std::nullopt;
    }

    Reply respond(Request request) override { return receive(std::move(request)); }

    awaitable<Response> receive(Request request) {
        const WallTime arrived = clock_.wall();
        if (behaviour_.delay > Duration::zero()) {
            const TimePoint at = clock_.now() + behaviour_.delay;
            co_await wait_until(clock_, at);
        }
        const std::optional<std::string> problem = signature_problem(request, arrived);
        Response response;
        response.status = fails_now() ? 503 : behaviour_.status;
        response.content_type = {};
        if (problem) {
            response.status = unauthorized;
            response.body = *problem + '\n';
            response.content_type = "text/plain";
        }
        ++answered_[response.status];
        exit_code_ = print(line_about(request, arrived, response.status) + verdict(problem) + '\n' +
                           details(request));
        if (exit_code_) on_unread_();
        co_return response;
    }

    /// What to end with if the lines cannot be written.
    std::optional<int> exit_code() const { return exit_code_; }

    std::string summary() const {
        std::size_t total = 0;
        for (const auto& entry : answered_) total += entry.second;
        std::string text = "received " + std::to_string(total);
        const char* separator = ": ";
        for (const auto& [status, count] : answered_) {
            text += separator + std::to_string(count) + " answered " + std::to_string(status);
            separator = ", ";
        }
        return text + '\n';
    }

  private:
    bool fails_now() { return std::bernoulli_distribution(behaviour_.fail_probability)(random_); }

    static constexpr int unauthorized = 401;

    std::optional<std::string> signature_problem(const Request& request, WallTime arrived) const {
        if (!behaviour_.verifier) return std::nullopt;
        const RequestHead& head = request.head;
        const ReceivedWebhook webhook{.id = head.find("webhook-id"),
                                      .timestamp = head.find("webhook-timestamp"),
                                      .signature = head.find("webhook-signature"),
                                      .body = request.body};
        return behaviour_.verifier->problem(webhook, arrived);
    }

    std::string verdict(const std::optional<std::string>& problem) const {
        if (!behaviour_.verifier) return {};
        return problem ? " signature=invalid (" + *problem + ")" : " signature=valid";
    }

    static std::string line_about(const Request& request, WallTime arrived, int status) {
        const Content content = look_into(request.body);
        const RequestHead& head = request.head;
        std::string line = rfc3339(arrived) + ' ' + printable(head.method) + ' ' +
                           printable(head.target) + ' ' + std::to_string(status) +
                           " id=" + content.id + " action=" + content.action +
                           " repository=" + content.repository;
        if (content.events != 1) line += " events=" + std::to_string(content.events);
        return line + " bytes=" + std::to_string(request.body.size()) +
               " attempt=" + printable(head.find("fanfare-attempt").value_or("-"));
    }

    std::string details(const Request& request) const {
        if (!behaviour_.is_verbose) return {};
        std::string text;
        for (const Field& field : request.head.fields) {
            text += "    " + printable(field.name) + ": " + printable(field.value) + '\n';
        }
        text += '\n';
        std::istringstream body(request.body);
        for (std::string line; std::getline(body, line);) text += "    " + printable(line) + '\n';
        return text + '\n';
    }

    const Behaviour behaviour_;
    Clock& clock_;
    const std::function<void()> on_unread_;
    std::mt19937_64 random_{std::random_device{}()};
    std::map<int, std::size_t> answered_;
    std::optional<int> exit_code_;
};

awaitable<void> end_when_asked(Wakeup& stop_asked, HttpServer& server, Signals& signals) {
    co_await stop_asked.wait();
    co_await server.stop(std::chrono::seconds(1));
    signals.close();
}

int receive(const Options& options, const Behaviour& behaviour) {
    net::io_context context{1};
    SteadyClock clock;
    Log log(quiet_log());
    Shard shard(context, clock, log);
    Wakeup stop_asked(shard.executor());
    const auto stop = [&stop_asked] { stop_asked.notify(); };
    Receiver receiver(behaviour, clock, stop);
    ListenerOptions listener;
    listener.listen = options.listen;
    HttpServer server("listen", {&shard}, listener, receiver);
    const Result<void> bound = server.bind();
    if (!bound) return fail(bound.error().message());
    Signals signals(context, {.on_stop = stop, .on_hangup = {}});
    TaskGroup tasks(shard.executor(), [](const std::exception_ptr&) {});
    server.start();
    tasks.spawn(end_when_asked(stop_asked, server, signals));
    for (const std::string& address : server.addresses()) {
        std::fprintf(stderr, "listening on %s\n", address.c_str());
    }
    context.run();
    if (receiver.exit_code()) return *receiver.exit_code();
    return print(receiver.summary()).value_or(ok);
}

/// From `30%` or `30`; nothing if it is neither.
std::optional<double> parse_percentage(const std::string& text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    const bool is_whole = rest == end || std::string_view(rest, end) == "%";
    if (error != std::errc() || !is_whole || !(value >= 0) || value > 100) return std::nullopt;
    return value / 100;
}

/// From what `--secret` and `--secret-file` say; none if they say nothing.
Result<std::optional<Verifier>> make_verifier(const Options& options) {
    std::vector<Secret> secrets;
    for (const std::string& text : options.secrets) secrets.emplace_back(text);
    for (const std::string& file : options.secret_files) {
        const Result<SecretFile> loaded = SecretFile::load(
            {.file = file, .what = {}, .component = {}, .check = check_one_line}, nullptr);
        if (!loaded) return Error("--secret-file:" + loaded.error().message());
        secrets.push_back(loaded->text());
    }
    if (secrets.empty()) return std::optional<Verifier>();
    Result<Verifier> verifier = Verifier::make(secrets);
    if (!verifier) return Error("--secret: a secret " + verifier.error().message());
    return std::optional<Verifier>(std::move(*verifier));
}

int run(const Options& options) {
    Behaviour behaviour;
    behaviour.status = options.status;
    behaviour.is_verbose = options.is_verbose;
    const std::optional<double> probability = parse_percentage(options.fail_text);
    if (!probability) {
        return fail("--fail: expected a percentage from 0% to 100%, as in 30%", wrong_usage);
    }
    behaviour.fail_probability = *probability;
    const Result<Duration> delay = parse_duration(options.delay_text);
    if (!delay) return fail("--delay: " + delay.error().message(), wrong_usage);
    if (*delay < Duration::zero() || *delay > std::chrono::hours(1)) {
        return fail("--delay: expected a duration from 0s to 1h", wrong_usage);
    }
    behaviour.delay = *delay;
    Result<std::optional<Verifier>> verifier = make_verifier(options);
    if (!verifier) return fail(verifier.error().message(), wrong_usage);
    behaviour.verifier = std::move(*verifier);
    return receive(options, behaviour);
}

}  // namespace

void add_listen(CLI::App& root, Chosen& chosen) {
    CLI::App* const command =
        root.add_subcommand("listen", "Receive webhooks and print a line about each");
    const auto options = std::make_shared<Options>();
    command->add_option("--listen", options->listen, "host:port, [v6]:port or unix:/path")
        ->capture_default_str();
    command->add_option("--status", options->status, "Status to answer")
        ->check(CLI::Range(200, 599))
        ->capture_default_str();
    command->add_option("--fail", options->fail_text, "How often to answer 503 instead")
        ->capture_default_str();
    command->add_option("--delay", options->delay_text, "How long to wait before answering")
        ->capture_default_str();
    command
        ->add_option("--secret", options->secrets,
                     "Verify signatures, 401 if bad: whsec_…, whsk_… or whpk_…; several allowed")
        ->allow_extra_args(false);
    command
        ->add_option("--secret-file", options->secret_files,
                     "The same, from a file: other users do not see it in the list of processes")
        ->type_name("FILE")
        ->allow_extra_args(false);
    command->add_flag("-v,--verbose", options->is_verbose, "Print headers and body, too");
    command->footer(
        "Ends with a summary on SIGINT or SIGTERM.\n\n"
        "Examples:\n"
        "  fanfare listen\n"
        "  fanfare listen --listen 127.0.0.1:9001 --fail 30% --delay 50ms\n"
        "  fanfare listen --secret-file audit.secret");
    command->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace fanfare::command
