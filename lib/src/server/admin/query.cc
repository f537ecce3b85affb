#include "server/admin/query.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/percent.h"
#include "base/timestamp.h"
#include "base/units.h"
#include "event/json_view.h"

namespace fanfare {
namespace {

/// Of a form: a blank is written as `+`.
std::optional<std::string> decoded_parameter(std::string_view text) {
    std::string blanks(text);
    std::replace(blanks.begin(), blanks.end(), '+', ' ');
    return decoded_text(blanks);
}

std::string known_names(std::span<const std::string_view> known) {
    if (known.empty()) return "; there are none here";
    std::string text = "; expected one of ";
    for (const std::string_view name : known) {
        if (name != known.front()) text += ", ";
        text += name;
    }
    return text;
}

}  // namespace

std::optional<std::string> decoded_text(std::string_view text) {
    std::optional<std::string> decoded = percent_decoded(text);
    if (decoded && !is_utf8(*decoded)) decoded.reset();
    return decoded;
}

Result<Query> Query::parse(std::string_view target, std::span<const std::string_view> known) {
    Query query;
    const std::size_t mark = target.find('?');
    std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = decoded_parameter(pair.substr(0, equals));
        const auto value = decoded_parameter(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value) return Error("parameter " + in_quotes(pair) + " cannot be decoded");
        if (std::find(known.begin(), known.end(), *name) == known.end()) {
            return Error(*name + ": unknown parameter" + known_names(known));
        }
        if (!query.values_.emplace(*name, *value).second) {
            return Error(*name + ": is there twice; expected once");
        }
    }
    return query;
}

std::optional<std::string> Query::text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<std::int64_t>> Query::integer(const std::string& name, std::int64_t min,
                                                   std::int64_t max) const {
    const std::optional<std::string> value = text(name);
    std::optional<std::int64_t> result;
    if (!value) return result;
    std::int64_t number = 0;
    const char* const end = value->data() + value->size();
    const auto [last, error] = std::from_chars(value->data(), end, number);
    if (error != std::errc() || last != end || number < min || number > max) {
        return Error(name + ": " + in_quotes(*value) + " is no integer from " +
                     std::to_string(min) + " to " + std::to_string(max));
    }
    result = number;
    return result;
}

Result<std::optional<std::uint64_t>> Query::number(const std::string& name) const {
    const std::optional<std::string> value = text(name);
    std::optional<std::uint64_t> result;
    if (!value) return result;
    result = natural_number(*value);
    if (result) return result;
    return Error(name + ": " + in_quotes(*value) + " is not valid; expected a number from 0 to " +
                 std::to_string(std::numeric_limits<std::uint64_t>::max()));
}

std::optional<std::uint64_t> natural_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || last != end) return std::nullopt;
    return number;
}

Result<std::optional<WallTime>> Query::time(const std::string& name, WallTime now) const {
    const std::optional<std::string> value = text(name);
    std::optional<WallTime> result;
    if (!value) return result;
    result = parse_rfc3339(*value);
    if (result) return result;
    const Result<Duration> ago = parse_duration(*value);
    if (ago.has_error() || *ago < Duration::zero()) {
        return Error(name + ": " + in_quotes(*value) +
                     " is no time; expected one as 2026-01-02T03:04:05Z, or a duration as 1h");
    }
    result = now - *ago;
    return result;
}

}  // namespace fanfare
