#include "config/endpoint_values.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/units.h"
#include "config/checks.h"
#include "config/schema.h"

namespace fanfare {
namespace {

constexpr int status_min = 200;  // 1xx is never the answer to a request
constexpr int status_max = 599;
constexpr std::size_t header_values_max = 100;

void add_header(const std::string& name, const Value& value, Target& target) {
    const std::optional<Scalar> scalar = value.scalar("text");
    if (!scalar) return;
    if (const auto problem = check_header_value(scalar->text, {})) {
        value.refuse(*problem);
    } else {
        target.endpoint.http.headers.emplace_back(name, scalar->text);
    }
}

/// The number that `text` is, if it is a status that can end a request.
std::optional<int> status(std::string_view text) {
    int code = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
    const bool is_code = error == std::errc() && end == text.data() + text.size() &&
                         code >= status_min && code <= status_max;
    return is_code ? std::optional(code) : std::nullopt;
}

std::optional<StatusRange> status_range(std::string_view text) {
    const std::size_t dash = text.find('-');
    const std::optional<int> first = status(text.substr(0, dash));
    const std::optional<int> last =
        dash == std::string_view::npos ? first : status(text.substr(dash + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    return StatusRange{*first, *last};
}

void add_status(const Value& value, std::vector<StatusRange>& ranges) {
    constexpr const char* expected = "a code or range of codes from 200 to 599, e.g. 200-299";
    const std::optional<Scalar> scalar = value.scalar(expected);
    if (!scalar) return;
    if (const std::optional<StatusRange> range = status_range(scalar->text)) {
        ranges.push_back(*range);
    } else {
        value.refuse(scalar->shown + " is no status; expected " + expected);
    }
}

}  // namespace

void read_headers(const Value& value, Target& target) {
    if (!value.expect_mapping("a mapping of header names to values")) return;
    for (const YamlEntry& entry : value.node().entries) {
        if (const auto problem = check_header_name(entry.key, in_quotes(entry.key))) {
            value.refuse_key(entry, *problem);
            continue;
        }
        const Value values = value.entry(entry);
        if (values.is_sequence()) {
            values.report_problems();
            const std::size_t size = std::min(values.node().items.size(), header_values_max + 1);
            for (std::size_t i = 0; i < size; ++i) add_header(entry.key, values.item(i), target);
        } else if (!values.is_null()) {
            add_header(entry.key, values, target);
        }
        if (target.endpoint.http.headers.size() > header_values_max) {
            value.refuse("has too many values; expected at most " +
                         std::to_string(header_values_max));
            return;
        }
    }
}

std::string headers_json_schema() {
    return R"({"type": "object", "additionalProperties": {"anyOf": [
        {"$ref": "#/definitions/text"}, {"type": "null"},
        {"type": "array", "items": {"$ref": "#/definitions/text"}}]}})";
}

void read_statuses(const Value& value, std::vector<StatusRange>& statuses, bool takes_empty) {
    std::vector<StatusRange> ranges;
    if (!value.is_sequence()) {
        add_status(value, ranges);
    } else {
        value.report_problems();
        for (std::size_t i = 0; i < value.node().items.size(); ++i) {
            add_status(value.item(i), ranges);
        }
        if (value.node().items.empty() && !takes_empty) {
            value.refuse("is empty; expected at least one code or range of codes");
        }
    }
    // Never made empty by what was refused.
    if (!ranges.empty() || takes_empty) statuses = std::move(ranges);
}

void read_success(const Value& value, Target& target) {
    read_statuses(value, target.endpoint.http.success, false);
}

std::string statuses_json_schema(bool takes_empty) {
    const std::string least = takes_empty ? "0" : "1";
    return R"({"anyOf": [{"$ref": "#/definitions/status"},
        {"type": "array", "minItems": )" +
           least + R"(, "items": {"$ref": "#/definitions/status"}}]})";
}

}  // namespace fanfare
