#pragma once

#include <cstdint>

#include "fanfare/error.h"
#include "store/sqlite.h"

namespace fanfare {

inline constexpr std::int64_t store_page_bytes = 4096;

/// The schema that this program writes.
extern const std::int64_t store_schema_version;

struct StoreSettings {
    bool is_every_commit_synced = true;
    int log_pages = 1000;  ///< after which the write-ahead log is written into the file
};

/// Settings that last as long as the connection. May throw SqliteError.
void set_up_store(Database& database, const StoreSettings& settings);

/// Makes the tables, or brings older ones up to date, in one transaction. An Error, which goes
/// behind the name of the file, for tables of a newer program. May throw SqliteError.
Result<void> bring_up_to_date(Database& database);

}  // namespace fanfare
