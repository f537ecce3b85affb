#pragma once

#include <string_view>

namespace fanfare {

/// Whether the contract knows this key, or this value of a key, but this version does not honour
/// it. `section` is where the key stands: `` (top level), `ingest`, `endpoints[].retry`, … .
bool is_not_supported(std::string_view section, std::string_view key, std::string_view value = {});

}  // namespace fanfare
