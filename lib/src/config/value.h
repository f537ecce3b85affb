#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/yaml_reader.h"
#include "fanfare/config.h"

namespace fanfare {

/// One run over a file: collects what is wrong with it.
class Loading {
  public:
    /// `environment` must outlive it.
    Loading(std::string file, const Environment& environment)
        : file_(std::move(file)), environment_(environment) {}

    /// One mistake that is met on several ways (through an alias, or through `defaults`) counts
    /// once, with the first way's key.
    void refuse(Place place, const std::string& key, const std::string& message);

    /// A remark that refuses nothing; the same one is kept once.
    void warn(const std::string& remark);
    const std::vector<std::string>& warnings() const noexcept { return warnings_; }

    /// Whether more problems would not be kept.
    bool is_full() const noexcept { return errors_.size() > errors_max; }

    const Environment& environment() const noexcept { return environment_; }

    /// Everything refused so far, sorted by place.
    std::vector<ConfigError> errors() const;

    /// Beyond this many the rest is not kept, and the last one says so.
    static constexpr std::size_t errors_max = 1000;

  private:
    std::string file_;
    const Environment& environment_;
    std::vector<ConfigError> errors_;
    std::vector<std::string> warnings_;
    std::set<std::tuple<int, int, std::string>> seen_;
};

/// A scalar with its variables replaced.
struct Scalar {
    std::string text;
    bool is_quoted = false;
    /// For messages: in quotes and as it stands in the file, so that no variable's value shows.
    std::string shown;
    bool is_expanded = false;
};

/// A node of the tree with the way to it, as the readers of keys take it. References must outlive
/// it.
class Value {
  public:
    Value(Loading& loading, const YamlNode& node, std::string key)
        : loading_(loading), node_(node), key_(std::move(key)) {}

    const YamlNode& node() const noexcept { return node_; }
    const std::string& key() const noexcept { return key_; }
    Loading& loading() const noexcept { return loading_; }

    bool is_null() const noexcept { return node_.kind == YamlNode::Kind::null; }
    bool is_scalar() const noexcept { return node_.kind == YamlNode::Kind::scalar; }
    bool is_sequence() const noexcept { return node_.kind == YamlNode::Kind::sequence; }
    bool is_mapping() const noexcept { return node_.kind == YamlNode::Kind::mapping; }

    Value entry(const YamlEntry& entry) const;
    Value item(std::size_t index) const;

    /// The key path of `key` within this mapping.
    std::string key_of(std::string_view key) const;

    /// The value as a whole is bad: `message` says what is wrong and what was expected.
    void refuse(const std::string& message) const;
    /// Something is wrong with a key of this mapping.
    void refuse_key(const YamlEntry& entry, const std::string& message) const;
    /// A key of this mapping is missing.
    void refuse_missing(std::string_view key, const std::string& expected) const;
    /// Reports what was wrong with the YAML itself here; once per value is enough.
    void report_problems() const;

    /// Whether it is a mapping; if not, that is refused. `expected`: `a mapping`.
    bool expect_mapping(std::string_view expected) const;
    bool expect_sequence(std::string_view expected) const;
    /// The scalar, if it is one and its variables are set; else that is refused.
    std::optional<Scalar> scalar(std::string_view expected) const;

  private:
    void refuse_kind(std::string_view expected) const;

    Loading& loading_;
    const YamlNode& node_;
    std::string key_;
};

}  // namespace fanfare
