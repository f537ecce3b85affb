#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/schema.h"
#include "config/value.h"

namespace fanfare {

/// Refuses the keys of a mapping that are not among `known`, suggesting the one that was meant. At
/// top level, what begins with `x-` is the user's own.
void refuse_unknown_keys(const Value& mapping, const std::vector<std::string>& known);

/// Refuses the required ones of `keys` that `mapping` lacks, or has without a value.
void refuse_missing_keys(const Value& mapping, const std::vector<Key>& keys);

/// Reads the values of `keys` that `mapping` has, in the order of `keys`. A key without a value
/// (`timeout:`) counts as not there.
void read_keys(const Value& mapping, const std::vector<Key>& keys, Target& target);

/// The place in `names` of the name that a value is.
std::optional<std::size_t> read_choice(const Value& value, const std::vector<std::string>& names);

}  // namespace fanfare
