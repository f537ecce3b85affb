#include "server/admin/route.h"

#include <algorithm>
#include <array>

#include "event/json_view.h"

namespace fanfare {
namespace {

constexpr std::string_view placeholder = "{}";

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

bool pattern_fits(std::string_view pattern, std::string_view path) {
    const std::size_t begin = pattern.find(placeholder);
    if (begin == std::string_view::npos) return pattern == path;
    const std::string_view behind = pattern.substr(begin + placeholder.size());
    if (path.size() <= begin + behind.size()) return false;
    const std::string_view name = path.substr(begin, path.size() - begin - behind.size());
    return path.starts_with(pattern.substr(0, begin)) && path.ends_with(behind) &&
           name.find('/') == std::string_view::npos;
}

bool serves(const AdminRoute& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

}  // namespace

const AdminRoute* AdminRoutes::find_path(std::string_view path) const {
    const auto found = std::find_if(routes_.begin(), routes_.end(), [path](const auto& route) {
        return pattern_fits(route.path, path);
    });
    return found == routes_.end() ? nullptr : &*found;
}

const AdminRoute* AdminRoutes::find(std::string_view method, std::string_view path) const {
    const AdminRoute* const first = find_path(path);
    if (first == nullptr) return nullptr;
    // A path that is spelt out is not also one of those that `{}` fits.
    const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const auto& route) {
        return serves(route, method) && route.path == first->path;
    });
    return found == routes_.end() ? nullptr : &*found;
}

std::string AdminRoutes::methods_of(std::string_view path) const {
    std::string methods;
    for (const std::string_view method : {"GET", "HEAD", "POST", "DELETE"}) {
        if (find(method, path) == nullptr) continue;
        if (!methods.empty()) methods += ", ";
        methods += method;
    }
    return methods;
}

std::string_view AdminRoutes::name_in(const AdminRoute& route, std::string_view path) {
    const std::size_t begin = route.path.find(placeholder);
    if (begin == std::string_view::npos) return {};
    const std::size_t behind = route.path.size() - begin - placeholder.size();
    return path.substr(begin, path.size() - begin - behind);
}

bool is_cross_site(const RequestHead& head) {
    const auto site = head.find("sec-fetch-site");
    if (site && *site != "same-origin") return true;
    const auto origin = head.find("origin");
    if (!origin) return false;
    const auto host = head.find(FieldName::host);
    const std::size_t scheme_end = origin->find("://");
    if (!host || scheme_end == std::string_view::npos) return true;
    return !equals_ignoring_case(origin->substr(scheme_end + 3), *host);
}

Response json_response(std::string body) {
    Response response;
    response.body = std::move(body);
    return response;
}

Response bad_parameter(std::string_view message) {
    const std::string_view name = message.substr(0, message.find(':'));
    const bool is_named = name.size() < message.size() && !name.empty() &&
                          std::all_of(name.begin(), name.end(), is_name_character);
    std::string detail;
    if (is_named) {
        detail = R"({"parameter":)";
        append_json_string(detail, name);
        detail += '}';
    }
    return error_response(400, "INVALID_PARAMETER", message, detail);
}

}  // namespace fanfare
