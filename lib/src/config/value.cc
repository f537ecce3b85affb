#include "config/value.h"

#include <algorithm>
#include <cctype>

#include "base/units.h"
#include "config/expand.h"

namespace fanfare {

void Loading::refuse(Place place, const std::string& key, const std::string& message) {
    if (is_full()) return;
    if (!seen_.emplace(place.line, place.column, message).second) return;
    if (errors_.size() == errors_max) {
        errors_.push_back({file_, place.line, place.column, {}, "and more: too many to list"});
        return;
    }
    errors_.push_back({file_, place.line, place.column, key, message});
}

void Loading::warn(const std::string& remark) {
    const bool is_known = std::find(warnings_.begin(), warnings_.end(), remark) != warnings_.end();
    if (!is_known && warnings_.size() < errors_max) warnings_.push_back(remark);
}

std::vector<ConfigError> Loading::errors() const {
    std::vector<ConfigError> sorted = errors_;
    // The remark that there are more stays last.
    const auto end = sorted.size() > errors_max ? sorted.end() - 1 : sorted.end();
    std::stable_sort(sorted.begin(), end, [](const ConfigError& a, const ConfigError& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return sorted;
}

Value Value::entry(const YamlEntry& entry) const {
    return {loading_, *entry.value, key_of(entry.key)};
}

Value Value::item(std::size_t index) const {
    return {loading_, *node_.items[index], key_ + "[" + std::to_string(index) + "]"};
}

std::string Value::key_of(std::string_view key) const {
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '<';
    };
    const bool is_bare =
        !key.empty() && key.size() <= 60 && std::all_of(key.begin(), key.end(), is_plain);
    const std::string shown = is_bare ? std::string(key) : in_quotes(key);
    return key_.empty() ? shown : key_ + "." + shown;
}

void Value::refuse(const std::string& message) const {
    loading_.refuse(node_.place, key_, message);
}

void Value::refuse_key(const YamlEntry& entry, const std::string& message) const {
    loading_.refuse(entry.place, key_of(entry.key), message);
}

void Value::refuse_missing(std::string_view key, const std::string& expected) const {
    loading_.refuse(node_.place, key_of(key), "missing; expected " + expected);
}

void Value::report_problems() const {
    for (const YamlProblem& problem : node_.problems) {
        const std::string key = problem.key.empty() ? key_ : key_of(problem.key);
        loading_.refuse(problem.place, key, problem.message);
    }
}

bool Value::expect_mapping(std::string_view expected) const {
    report_problems();
    if (!is_mapping()) refuse_kind(expected);
    return is_mapping();
}

bool Value::expect_sequence(std::string_view expected) const {
    report_problems();
    if (!is_sequence()) refuse_kind(expected);
    return is_sequence();
}

std::optional<Scalar> Value::scalar(std::string_view expected) const {
    report_problems();
    if (!is_scalar()) {
        refuse_kind(expected);
        return std::nullopt;
    }
    const Result<std::string> expanded = expand(node_.text, loading_.environment());
    if (expanded.has_error()) {
        refuse(expanded.error().message());
        return std::nullopt;
    }
    Scalar scalar{*expanded, node_.is_quoted, in_quotes(node_.text), *expanded != node_.text};
    if (scalar.is_expanded) scalar.shown += ", expanded,";
    return scalar;
}

void Value::refuse_kind(std::string_view expected) const {
    // The value itself is not shown: it may be a secret in the wrong place.
    std::string message;
    switch (node_.kind) {
        case YamlNode::Kind::null:
            message = "has no value";
            break;
        case YamlNode::Kind::scalar:
            message = "is a single value";
            break;
        case YamlNode::Kind::sequence:
            message = "is a list";
            break;
        case YamlNode::Kind::mapping:
            message = "is a mapping";
            break;
    }
    refuse(message.append("; expected ").append(expected));
}

}  // namespace fanfare
