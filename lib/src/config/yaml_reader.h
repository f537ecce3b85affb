#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// Where something begins in a file; both count from 1, columns count characters, not bytes.
struct Place {
    int line = 1;
    int column = 1;

    bool operator==(const Place&) const = default;
};

struct YamlNode;
using YamlPtr = std::shared_ptr<const YamlNode>;

/// One key of a mapping with its value.
struct YamlEntry {
    std::string key;
    Place place;  ///< of the key
    YamlPtr value;
};

/// What is wrong with the YAML at a place. `key` is the key in question, if it is about one.
struct YamlProblem {
    Place place;
    std::string key;
    std::string message;
};

/// A value of a YAML document. What stands behind an alias is the very node of its anchor.
struct YamlNode {
    enum class Kind : std::uint8_t { null, scalar, sequence, mapping };

    Kind kind = Kind::null;
    Place place;
    std::string text;                   ///< of a scalar, as decoded; variables are not replaced yet
    bool is_quoted = false;             ///< in quotes, a block scalar or tagged !!str: always text
    std::vector<YamlPtr> items;         ///< of a sequence
    std::vector<YamlEntry> entries;     ///< of a mapping, each key once; `<<` is carried out
    std::vector<YamlProblem> problems;  ///< matter only if the value is read (duplicate keys, …)
    std::uint64_t values = 1;           ///< in it, itself included, counting what aliases repeat

    const YamlEntry* find(std::string_view key) const noexcept;
};

/// Bounds on a document; what is beyond is refused.
inline constexpr std::size_t yaml_depth_max = 64;
inline constexpr std::uint64_t yaml_values_max = 1'000'000;

/// Reads one YAML 1.1 document. The problem, if there is one, makes the rest unreadable. Knows
/// nothing of keys; this is the one place that knows yaml-cpp.
std::variant<YamlPtr, YamlProblem> read_yaml(std::string_view text);

}  // namespace fanfare
