#include "commands/admin_call.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "commands/command.h"
#include "commands/http_call.h"

namespace fanfare::command {

void add_admin_options(CLI::App& command, AdminTarget& target) {
    command.add_option("--url", target.url, "The daemon's admin listener")
        ->type_name("URL")
        ->capture_default_str();
    command.add_option("--token-file", target.token_file, "File with the admin bearer token")
        ->type_name("FILE");
    command.add_flag("--json", target.as_json, "Print what the daemon answers, as JSON");
}

namespace {

Result<SimpleRequest> call_for(const AdminTarget& target, const AdminRequest& request) {
    std::string path = request.path;
    for (const auto& [name, value] : request.query) {
        path += path.find('?') == std::string::npos ? '?' : '&';
        path += name + '=' + percent_encoded(value);
    }
    SimpleRequest call;
    call.method = request.method;
    call.url = url_of(target.url, path);
    call.timeout = request.timeout;
    call.stop_descriptor = request.stop_descriptor;
    call.wanted_headers = {"retry-after"};
    call.body = request.body;
    if (!request.content_type.empty()) {
        call.headers.emplace_back("Content-Type", request.content_type);
    }
    const Result<void> token = add_token(call, target.token_file);
    if (!token) return token.error();
    return call;
}

}  // namespace

Result<SimpleResponse> ask_admin(const AdminTarget& target, const AdminRequest& request) {
    const Result<SimpleRequest> call = call_for(target, request);
    if (!call) return call.error();
    return fetch(*call);
}

Result<std::string> call_admin(const AdminTarget& target, const AdminRequest& request) {
    const Result<SimpleRequest> call = call_for(target, request);
    if (!call) return call.error();
    Result<SimpleResponse> answer = fetch(*call);
    if (!answer) return answer.error();
    if (answer->status < 200 || answer->status > 299) return Error(explain(*call, *answer));
    return Result<std::string>(boost::system::in_place_value, std::move(answer->body));
}

Result<SimpleResponse> stream_admin(const AdminTarget& target, const AdminRequest& request,
                                    const BodyReader& reader) {
    const Result<SimpleRequest> call = call_for(target, request);
    if (!call) return call.error();
    return fetch_stream(*call, reader);
}

std::string explain(const AdminTarget& target, const AdminRequest& request,
                    const SimpleResponse& response) {
    SimpleRequest call;
    call.url = url_of(target.url, request.path);
    return explain(call, response);
}

std::string percent_encoded(const std::string& text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
        if (is_plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4U];
            encoded += digits[byte & 15U];
        }
    }
    return encoded;
}

Result<nlohmann::json> parse_answer(const AdminTarget& target, const std::string& body) {
    nlohmann::json root = nlohmann::json::parse(body, nullptr, false);
    if (!root.is_object()) {
        return Error(printable(target.url) + " does not answer like a fanfare daemon");
    }
    return Result<nlohmann::json>(boost::system::in_place_value, std::move(root));
}

std::string shown(const nlohmann::json& entry, const char* field) {
    const auto found = entry.find(field);
    if (found == entry.end() || found->is_null()) return "-";
    return printable(found->is_string()
                         ? found->get<std::string>()
                         : found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

CLI::Validator whole_number(std::uint64_t lowest) {
    const auto check = [lowest](const std::string& text) -> std::string {
        std::uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc() && rest == end && number >= lowest) return {};
        return in_quotes(text) + " is no whole number" +
               (lowest == 0 ? "" : " from " + std::to_string(lowest) + " on");
    };
    return CLI::Validator(check, "");
}

std::string counted(std::uint64_t count, const char* noun) {
    return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

}  // namespace fanfare::command
