#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/value.h"
#include "fanfare/config.h"

namespace fanfare {

/// Where the values of keys go: those at top level into `config`, those of an endpoint into
/// `endpoint`.
struct Target {
    Config& config;
    EndpointConfig& endpoint;
};

template <class T>
using At = std::function<T&(Target&)>;

/// What is wrong with a text, with what was expected; nothing if it is fine. `shown` stands for the
/// text in messages.
using Check =
    std::function<std::optional<std::string>(const std::string& text, const std::string& shown)>;

struct BooleanKind {
    At<bool> at;
};

struct IntegerKind {
    std::int64_t min;
    std::int64_t max;
    std::function<std::int64_t(Target&)> get;
    std::function<void(Target&, std::int64_t)> set;
    bool takes_default = false;  ///< values of zero or less stand for the default
};

struct DurationKind {
    Duration min;
    Duration max;
    At<Duration> at;
    bool takes_default = false;  ///< as above
};

struct SizeKind {
    std::uint64_t min;
    std::uint64_t max;
    At<std::size_t> at;
};

/// One of a few names.
struct ChoiceKind {
    std::vector<std::string> names;
    std::function<std::optional<std::size_t>(Target&)> get;  ///< nothing: none of them
    std::function<void(Target&, std::size_t)> set;
};

struct TextKind {
    std::string expected;  ///< `the path of a file`
    Check check;
    At<std::string> at;
    /// What those see who may see the configuration; empty: the text, URLs without userinfo and
    /// query.
    std::function<std::string(Target&)> show = {};
};

struct TextListKind {
    std::string expected;  ///< of one item
    Check check;
    bool takes_scalar = false;
    bool takes_empty = true;
    bool refuses_repeated = false;
    std::size_t items_max = 1000;
    std::function<std::vector<std::string>(Target&)> get = {};
    std::function<void(Target&, std::vector<std::string>)> set = {};
    /// What those see who may see the configuration; empty: as TextKind.
    std::function<std::vector<std::string>(Target&)> show = {};
};

struct Key;

struct MappingKind {
    std::vector<Key> keys;
    /// The second key is needed where the first is given.
    std::vector<std::pair<std::string, std::string>> needs;
    /// Whether there is anything to show of it; empty: there always is.
    std::function<bool(Target&)> is_set = {};
};

/// A value with a form of its own.
struct SpecialKind {
    std::string type;         ///< for the reference table
    std::string json_schema;  ///< a JSON text
    std::function<void(const Value&, Target&)> read;
    /// The value as JSON text for those who may see the configuration; it must hold no secret.
    /// Empty: `<redacted>` stands for any value.
    std::function<std::string(Target&)> show = {};
};

/// Keys that hold endpoints; load_config reads them, because they depend on each other.
struct EndpointsKind {
    enum class Form : std::uint8_t { list, defaults, notifications } form;
};

using Kind = std::variant<BooleanKind, IntegerKind, DurationKind, SizeKind, ChoiceKind, TextKind,
                          TextListKind, MappingKind, SpecialKind, EndpointsKind>;

/// One key of the configuration: how it is read, where it goes and what is said about it.
struct Key {
    std::string name;
    std::string description;
    Kind kind;
    bool is_required = false;
    std::string default_text = {};  ///< for documents; empty: what `kind` finds in a default Config
    std::string example = {};       ///< a YAML value, for a key that has no default
    bool needs_value = false;       ///< without one it would quietly mean less safety
};

/// Every key that this version honours: one table for reading, checking and documenting.
struct Schema {
    std::vector<Key> top;
    std::vector<Key> endpoint;

    const Key* find_top(std::string_view name) const noexcept;
};

Schema make_schema();

/// The endpoint's part of make_schema().
std::vector<Key> make_endpoint_keys();

/// `queue`.
Key queue_key();
/// `dead_letters`.
Key dead_letters_key();
/// `reload`.
Key reload_key();
/// `meta`.
Key meta_key();
/// `history`.
Key history_key();
/// `streams`.
Key streams_key();
/// Parts of it that have files of their own.
Key make_retry_key();
std::vector<Key> make_order_keys();
std::vector<Key> make_format_keys();

/// A TLS file, a token file: any path that is no empty text.
Key file_key(std::string name, std::string description, At<std::string> at, std::string example);

/// The names of the keys, in the order of the table.
std::vector<std::string> names_of(const std::vector<Key>& keys);

/// For an integer of whatever type.
template <class T>
IntegerKind integer(std::int64_t min, std::int64_t max, T& (*at)(Target&)) {
    return {min, max, [at](Target& target) { return static_cast<std::int64_t>(at(target)); },
            [at](Target& target, std::int64_t value) { at(target) = static_cast<T>(value); }};
}

/// For an enumeration whose enumerators count from 0 in the order of `names`.
template <class T>
ChoiceKind choice(std::vector<std::string> names, T& (*at)(Target&)) {
    return {std::move(names), [at](Target& target) { return static_cast<std::size_t>(at(target)); },
            [at](Target& target, std::size_t index) { at(target) = static_cast<T>(index); }};
}

/// For a list that is replaced as a whole.
TextListKind text_list(std::string expected, Check check, std::vector<std::string>& (*at)(Target&));

}  // namespace fanfare
