#include "config/expand.h"

#include <algorithm>
#include <cctype>

namespace fanfare {
namespace {

bool is_name(std::string_view text) {
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), fits) &&
           std::isdigit(static_cast<unsigned char>(text.front())) == 0;
}

constexpr const char* reference_forms =
    R"(expected ${NAME} or ${NAME:-default}; "$${" stands for a plain "${")";

/// Both a text and an Error can be made of a string; this says which.
Result<std::string> found(std::string_view text) { return {boost::system::in_place_value, text}; }

Result<std::string> look_up(std::string_view reference, const Environment& environment) {
    const std::size_t separator = reference.find(":-");
    const std::string name(reference.substr(0, separator));
    if (!is_name(name)) {
        return Error(std::string("\"${\" is not followed by a name; ") + reference_forms);
    }
    const std::optional<std::string> value = environment(name);
    if (separator != std::string_view::npos && (!value || value->empty())) {
        return found(reference.substr(separator + 2));
    }
    if (value) return found(*value);
    return Error("the environment variable " + name +
                 " is not set; expected a value, or a default as in \"${" + name + ":-default}\"");
}

}  // namespace

Result<std::string> expand(std::string_view text, const Environment& environment) {
    std::string out;
    for (;;) {
        const std::size_t start = text.find("${");
        out += text.substr(0, start);
        if (start == std::string_view::npos) return found(out);
        const bool is_escaped = start > 0 && text[start - 1] == '$';
        text.remove_prefix(start + 2);
        if (is_escaped) {
            out += '{';
            continue;
        }
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) {
            return Error(std::string("\"${\" has no \"}\"; ") + reference_forms);
        }
        const Result<std::string> value = look_up(text.substr(0, end), environment);
        if (value.has_error()) return value.error();
        out += *value;
        text.remove_prefix(end + 1);
    }
}

}  // namespace fanfare
