#include "config/read_keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/units.h"
#include "config/describe.h"
#include "config/suggest.h"

namespace fanfare {
namespace {

/// Reads one key into the target. One function per kind of key.
struct KeyReader {
    const Value& value;
    const Key& key;
    Target& target;

    void operator()(const BooleanKind& kind) const {
        const std::optional<Scalar> scalar = value.scalar(expected_text(key));
        if (!scalar) return;
        // YAML 1.1, as the registry reads it.
        constexpr std::array trues = {"true", "yes", "on", "y"};
        constexpr std::array falses = {"false", "no", "off", "n"};
        const auto is = [&](const char* name) { return is_yaml_word(scalar->text, name); };
        if (scalar->is_quoted) {
            refuse(*scalar, "is quoted");
        } else if (std::any_of(trues.begin(), trues.end(), is)) {
            kind.at(target) = true;
        } else if (std::any_of(falses.begin(), falses.end(), is)) {
            kind.at(target) = false;
        } else {
            refuse(*scalar, "is neither true nor false");
        }
    }

    void operator()(const IntegerKind& kind) const {
        const std::optional<Scalar> scalar = value.scalar(expected_text(key));
        if (!scalar) return;
        const std::string_view text = scalar->text;
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool has_octal_look = text.size() > 1 && text.starts_with('0');
        if (scalar->is_quoted) {
            refuse(*scalar, "is quoted");
        } else if (end != text.data() + text.size() || text.empty() || has_octal_look) {
            refuse(*scalar, "is no integer");
        } else if (error == std::errc() && number <= 0 && kind.takes_default) {
            return;
        } else if (error != std::errc() || number < kind.min || number > kind.max) {
            const bool is_small =
                text.starts_with('-') || (error == std::errc() && number < kind.min);
            refuse(*scalar, is_small ? "is too small" : "is too large");
        } else {
            kind.set(target, number);
        }
    }

    void operator()(const DurationKind& kind) const {
        const std::optional<Scalar> scalar = value.scalar(expected_text(key));
        if (!scalar) return;
        const Result<Duration> duration = parse_duration(scalar->text, expected_text(key));
        if (duration.has_error()) {
            refuse_unit(*scalar, duration.error().message(), "is no duration with a unit");
        } else if (*duration <= Duration::zero() && kind.takes_default) {
            return;
        } else if (*duration < kind.min || *duration > kind.max) {
            refuse(*scalar, *duration < kind.min ? "is too short" : "is too long");
        } else {
            kind.at(target) = *duration;
        }
    }

    void operator()(const SizeKind& kind) const {
        const std::optional<Scalar> scalar = value.scalar(expected_text(key));
        if (!scalar) return;
        const Result<std::uint64_t> size = parse_size(scalar->text, expected_text(key));
        if (size.has_error()) {
            refuse_unit(*scalar, size.error().message(), "is no size");
        } else if (*size < kind.min || *size > kind.max) {
            refuse(*scalar, *size < kind.min ? "is too small" : "is too large");
        } else {
            kind.at(target) = *size;
        }
    }

    void operator()(const ChoiceKind& kind) const {
        const std::optional<std::size_t> index = read_choice(value, kind.names);
        if (index) kind.set(target, *index);
    }

    void operator()(const TextKind& kind) const {
        const std::optional<Scalar> scalar = value.scalar(kind.expected);
        if (!scalar) return;
        const auto problem = kind.check(scalar->text, scalar->shown);
        if (problem) value.refuse(*problem);
        if (!problem) kind.at(target) = scalar->text;
    }

    void operator()(const TextListKind& kind) const {
        std::vector<std::string> texts;
        if (kind.takes_scalar && value.is_scalar()) {
            add_text(kind, value, texts);
        } else if (value.expect_sequence(expected_text(key))) {
            const std::size_t size = value.node().items.size();
            if (size > kind.items_max) {
                value.refuse("has too many items; expected at most " +
                             std::to_string(kind.items_max));
                return;
            }
            for (std::size_t i = 0; i < size; ++i) add_text(kind, value.item(i), texts);
            if (size == 0 && !kind.takes_empty) value.refuse("is empty; expected " + kind.expected);
        }
        kind.set(target, std::move(texts));
    }

    void operator()(const MappingKind& kind) const {
        if (!value.expect_mapping("a mapping")) return;
        refuse_unknown_keys(value, names_of(kind.keys));
        refuse_missing_keys(value, kind.keys);
        for (const auto& [given, needed] : kind.needs) {
            if (value.node().find(given) == nullptr || value.node().find(needed) != nullptr)
                continue;
            value.refuse_missing(needed, "it beside " + given);
        }
        read_keys(value, kind.keys, target);
    }

    void operator()(const SpecialKind& kind) const { kind.read(value, target); }

    void operator()(const EndpointsKind&) const {}

  private:
    /// Whether `text` is `word`, `Word` or `WORD`.
    static bool is_yaml_word(std::string_view text, std::string_view word) {
        const auto upper = [](char c) { return static_cast<char>(c - ('a' - 'A')); };
        std::string capital(word);
        capital[0] = upper(capital[0]);
        std::string capitals(word);
        std::transform(word.begin(), word.end(), capitals.begin(), upper);
        return text == word || text == capital || text == capitals;
    }

    void refuse(const Scalar& scalar, const std::string& what) const {
        value.refuse(scalar.shown + " " + what + "; expected " + expected_text(key));
    }

    /// `message` shows the text itself, which stays hidden if it came from a variable.
    void refuse_unit(const Scalar& scalar, const std::string& message,
                     const std::string& what) const {
        if (scalar.is_expanded) {
            refuse(scalar, what);
        } else {
            value.refuse(message);
        }
    }

    static void add_text(const TextListKind& kind, const Value& item,
                         std::vector<std::string>& texts) {
        const std::optional<Scalar> scalar = item.scalar(kind.expected);
        if (!scalar) return;
        auto problem = kind.check(scalar->text, scalar->shown);
        const bool is_known = std::find(texts.begin(), texts.end(), scalar->text) != texts.end();
        if (!problem && is_known && kind.refuses_repeated) {
            problem = scalar->shown + " is listed twice; expected it once";
        }
        if (problem) item.refuse(*problem);
        if (!problem) texts.push_back(scalar->text);
    }
};

}  // namespace

void refuse_unknown_keys(const Value& mapping, const std::vector<std::string>& known) {
    for (const YamlEntry& entry : mapping.node().entries) {
        if (mapping.loading().is_full()) return;
        if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
        if (mapping.key().empty() && entry.key.starts_with("x-")) continue;
        const std::string meant = suggest(entry.key, known);
        const std::string hint = meant.empty() ? "" : ", did you mean " + in_quotes(meant) + "?";
        mapping.refuse_key(entry, "unknown key; expected one of " + join(known) + hint);
    }
}

void refuse_missing_keys(const Value& mapping, const std::vector<Key>& keys) {
    for (const Key& key : keys) {
        const YamlEntry* const entry = mapping.node().find(key.name);
        const bool is_there = entry != nullptr && entry->value->kind != YamlNode::Kind::null;
        if (key.is_required && !is_there) mapping.refuse_missing(key.name, expected_text(key));
    }
}

void read_keys(const Value& mapping, const std::vector<Key>& keys, Target& target) {
    for (const Key& key : keys) {
        const YamlEntry* const entry = mapping.node().find(key.name);
        if (entry == nullptr) continue;
        const Value value = mapping.entry(*entry);
        if (value.is_null() && key.needs_value && !key.is_required) {
            value.refuse("has no value; expected " + expected_text(key));
        } else if (value.is_null()) {
            value.report_problems();
        } else {
            std::visit(KeyReader{value, key, target}, key.kind);
        }
    }
}

std::optional<std::size_t> read_choice(const Value& value, const std::vector<std::string>& names) {
    const std::string expected = one_of(names);
    const std::optional<Scalar> scalar = value.scalar(expected);
    if (!scalar) return std::nullopt;
    const auto found = std::find(names.begin(), names.end(), scalar->text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    const std::string meant = suggest(scalar->text, names);
    const std::string hint = meant.empty() ? "" : ", did you mean " + in_quotes(meant) + "?";
    value.refuse(scalar->shown + " is not known; expected " + expected + hint);
    return std::nullopt;
}

}  // namespace fanfare
