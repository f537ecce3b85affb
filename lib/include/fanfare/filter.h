#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/error.h"
#include "fanfare/event.h"

namespace fanfare {

/// Which events an endpoint wants. Pure, total and cheap; called for every event, on the endpoint's
/// shard thread, or on several threads at once if events are stored first. Not a Sink: there is
/// nothing to await, close or retry.
class Filter {
  public:
    virtual ~Filter() = default;
    virtual bool wants(const Event& event) const noexcept = 0;
};

/// The registry's `ignore`: drops an event whose target media type **or** action is listed.
/// Exact, case-sensitive match; empty lists drop nothing (distribution, TestIgnoredSink).
class IgnoreFilter final : public Filter {
  public:
    IgnoreFilter(std::vector<std::string> media_types, std::vector<std::string> actions);
    bool wants(const Event& event) const noexcept override;

  private:
    std::vector<std::string> media_types_;
    std::vector<std::string> actions_;
};

/// One condition on a field of an event (SPEC 5, `match`).
struct MatchRule {
    enum class Op { in, not_in, prefix, suffix, glob, exists, absent };

    /// A JSON pointer (`/target/repository`) or the name of a top-level attribute (`type`).
    std::string field;
    Op op = Op::in;
    /// The texts to compare with: strings as decoded, other scalars as their JSON text.
    /// Unused by exists and absent; any one that fits is enough for the others.
    std::vector<std::string> values;
    /// If not empty, the rule holds when all rules of any one alternative hold; the rest of this
    /// struct is then unused.
    std::vector<std::vector<MatchRule>> any;
    bool operator==(const MatchRule&) const = default;
};

/// Wants an event for which every rule holds. A field that is missing satisfies only `absent`
/// and `not_in`. `glob` knows `*`, `?` and `[…]`; `*` also crosses `/`.
class MatchFilter final : public Filter {
  public:
    explicit MatchFilter(std::vector<MatchRule> rules) : rules_(std::move(rules)) {}
    bool wants(const Event& event) const noexcept override;

  private:
    std::vector<MatchRule> rules_;
};

/// Wants what all of its parts want.
class AllOfFilter final : public Filter {
  public:
    explicit AllOfFilter(std::vector<std::unique_ptr<Filter>> parts) : parts_(std::move(parts)) {}
    bool wants(const Event& event) const noexcept override;

  private:
    std::vector<std::unique_ptr<Filter>> parts_;
};

}  // namespace fanfare
