#include "sink/format/placeholders.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace fanfare {
namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";
constexpr const char* placeholder_forms =
    R"(expected {{ /json/pointer }}, {{ @id }}, {{ @seq }}, {{ @event }} or {{ "text" }})";

using Part = TemplateText::value_type;

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

bool is_pointer(std::string_view text) {
    if (!text.starts_with('/')) return false;
    for (std::size_t i = text.find('~'); i != std::string_view::npos; i = text.find('~', i + 1)) {
        if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
    }
    return true;
}

/// Where the braces that close a placeholder begin; not those in a text in quotes.
std::size_t find_closing(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    std::size_t from = begin;
    if (begin < text.size() && text[begin] == '"') {
        for (from = begin + 1; from < text.size() && text[from] != '"'; ++from) {
            if (text[from] == '\\') ++from;
        }
    }
    return from < text.size() ? text.find(closing, from) : std::string_view::npos;
}

std::optional<Part> parse_reference(std::string_view text) {
    if (is_pointer(text)) return Placeholder{Placeholder::Kind::pointer, std::string(text)};
    if (text == "@id") return Placeholder{Placeholder::Kind::id, {}};
    if (text == "@seq") return Placeholder{Placeholder::Kind::seq, {}};
    if (text == "@event") return Placeholder{Placeholder::Kind::event, {}};
    const nlohmann::json literal = nlohmann::json::parse(text, nullptr, false);
    if (literal.is_string()) return literal.get<std::string>();
    return std::nullopt;
}

/// A reference that stands in the way, by its number among those of its text.
Error bad_reference(std::size_t number) {
    return Error("placeholder " + std::to_string(number) + " is no reference; " +
                 placeholder_forms);
}

}  // namespace

Result<TemplateText> parse_template_text(std::string_view text) {
    TemplateText parts;
    for (std::size_t number = 1;; ++number) {
        const std::size_t begin = std::min(text.find(opening), text.size());
        if (begin > 0) parts.emplace_back(std::string(text.substr(0, begin)));
        if (begin == text.size()) return parts;
        text.remove_prefix(begin + opening.size());
        const std::size_t end = find_closing(text);
        if (end == std::string_view::npos) {
            return Error("placeholder " + std::to_string(number) + R"( has "{{" without "}}"; )" +
                         placeholder_forms);
        }
        std::optional<Part> part = parse_reference(trimmed(text.substr(0, end)));
        if (!part) return bad_reference(number);
        parts.push_back(std::move(*part));
        text.remove_prefix(end + closing.size());
    }
}

}  // namespace fanfare
