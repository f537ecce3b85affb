#include "commands/http_call.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "commands/command.h"
#include "http/url.h"

namespace fanfare::command {
namespace {

std::string text_of(const nlohmann::json& error, const char* key) {
    const auto found = error.find(key);
    if (found == error.end() || found->is_null()) return {};
    return found->is_string()
               ? found->get<std::string>()
               : found->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// ` CODE: message (detail); …`; empty if the body is not of the registry's error form.
std::string errors_in(const std::string& body) {
    const nlohmann::json root = nlohmann::json::parse(body, nullptr, false);
    if (!root.is_object() || !root.contains("errors") || !root["errors"].is_array()) return {};
    std::string text;
    for (const nlohmann::json& error : root["errors"]) {
        if (!error.is_object()) continue;
        text += text.empty() ? " " : "; ";
        text += text_of(error, "code") + ": " + text_of(error, "message");
        const std::string detail = text_of(error, "detail");
        if (!detail.empty()) text += " (" + detail + ')';
    }
    return text;
}

}  // namespace

std::string explain(const SimpleRequest& request, const SimpleResponse& response) {
    return printable(without_userinfo(request.url) + " answered " +
                     std::to_string(response.status) + errors_in(response.body));
}

std::string url_of(std::string base, std::string_view target) {
    while (base.ends_with('/')) base.pop_back();
    if (base.starts_with("unix:")) base += ':';
    return base.append(target);
}

std::string url_with_default(const std::string& url, std::string_view target) {
    constexpr std::string_view prefix = "unix:";
    const bool is_bare =
        url.starts_with(prefix) && url.find(':', prefix.size()) == std::string::npos;
    return is_bare ? url_of(url, target) : url;
}

Result<void> add_token(SimpleRequest& request, const std::string& file) {
    if (file.empty()) return {};
    std::ifstream in(file);
    std::string token;
    if (!std::getline(in, token) || token.empty()) {
        return Error("cannot read a token from " + file);
    }
    if (token.ends_with('\r')) token.pop_back();
    request.headers.emplace_back("Authorization", "Bearer " + token);
    return {};
}

}  // namespace fanfare::command
