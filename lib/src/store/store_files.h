#pragma once

#include <cstdint>
#include <string>

#include "store/sqlite.h"

namespace fanfare {

/// The next start is to look closely at the store in `file`, as it has been found damaged.
void mark_suspect(const std::string& file) noexcept;

struct Salvaged {
    std::uint64_t events = 0;
    std::uint64_t lost_events = 0;
};

/// Copies what can be read of a damaged store into an empty one. Events that are lost go on waiting
/// for their endpoints, as damaged ones. Throws SqliteError if even the tables that tell what waits
/// where cannot be read.
Salvaged salvage_store(Database& damaged, Database& empty);

}  // namespace fanfare
