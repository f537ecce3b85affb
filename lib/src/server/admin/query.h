#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

/// `text`, of a path say, with `%41` read as `A`; nothing if that is not well-formed UTF-8 then.
std::optional<std::string> decoded_text(std::string_view text);

/// What `text` says, if it is decimal digits and nothing else, up to 2^64-1.
std::optional<std::uint64_t> natural_number(std::string_view text);

/// The parameters behind the `?` of a target, each there once at most.
class Query {
  public:
    /// An Error begins with the parameter that is repeated or not among `known`, or shows what
    /// cannot be decoded.
    static Result<Query> parse(std::string_view target, std::span<const std::string_view> known);

    std::optional<std::string> text(const std::string& name) const;

    // An Error says what was expected; nothing if the parameter is not there.
    Result<std::optional<std::int64_t>> integer(const std::string& name, std::int64_t min,
                                                std::int64_t max) const;
    /// Decimal digits up to 2^64-1.
    Result<std::optional<std::uint64_t>> number(const std::string& name) const;
    /// A time (RFC 3339), or a duration: that long before `now`.
    Result<std::optional<WallTime>> time(const std::string& name, WallTime now) const;

  private:
    std::map<std::string, std::string> values_;
};

}  // namespace fanfare
