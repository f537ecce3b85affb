#pragma once

#include <string>
#include <string_view>

#include "fanfare/config.h"
#include "fanfare/error.h"

namespace fanfare {

/// Replaces each `${NAME}` by the variable's value and each `${NAME:-default}` by the value, or by
/// the default if the variable is unset or empty. `$${` stands for a plain `${`; any other `$`
/// stays. What is put in is not looked at again. The message of a refusal holds names of variables
/// and nothing else of `text`, which may be a secret.
Result<std::string> expand(std::string_view text, const Environment& environment);

}  // namespace fanfare
