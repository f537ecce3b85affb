#include "store/store_schema.h"

#include <array>
#include <string>

#include "base/uuid.h"

namespace fanfare {
namespace {

// Each brings the tables from the version of its index to the next one. What has been shipped is
// never changed.
constexpr std::array<const char*, 1> migrations = {R"sql(
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        received INTEGER NOT NULL,
        type INTEGER NOT NULL,
        fields BLOB NOT NULL,
        crc INTEGER NOT NULL,
        payload BLOB NOT NULL
    );
    CREATE TABLE damaged (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        received INTEGER NOT NULL,
        type INTEGER NOT NULL,
        fields BLOB NOT NULL,
        crc INTEGER NOT NULL,
        payload BLOB NOT NULL
    );
    CREATE TABLE pending (
        endpoint INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (endpoint, first)
    ) WITHOUT ROWID;
    CREATE TABLE attempt (
        endpoint INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        next_at INTEGER NOT NULL,
        last_status INTEGER NOT NULL,
        last_error TEXT NOT NULL,
        PRIMARY KEY (endpoint, seq)
    ) WITHOUT ROWID;
    CREATE TABLE endpoint (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        removed_at INTEGER,
        bytes INTEGER NOT NULL
    );
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        store_id TEXT NOT NULL,
        last_seq INTEGER NOT NULL
    );
)sql"};

}  // namespace

const std::int64_t store_schema_version = migrations.size();

void set_up_store(Database& database, const StoreSettings& settings) {
    // The mode of locking comes first: without shared memory nobody else can ever read along.
    // What is deleted is not overwritten (Debian's default would), as that doubles the writing.
    database.execute(
        "PRAGMA page_size = 4096; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
        "PRAGMA mmap_size = 0; PRAGMA cache_size = -16384;"
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
        "PRAGMA secure_delete = OFF");
    database.execute(settings.is_every_commit_synced ? "PRAGMA synchronous = FULL"
                                                     : "PRAGMA synchronous = NORMAL");
    database.checkpoint_at(settings.log_pages);
    database.keep_wal();
}

Result<void> bring_up_to_date(Database& database) {
    const std::int64_t version = database.number("PRAGMA user_version");
    if (version > store_schema_version) {
        return Error("was written by a newer fanfare (schema " + std::to_string(version) +
                     ", this one knows " + std::to_string(store_schema_version) + ")");
    }
    if (version == store_schema_version) return {};
    Transaction transaction(database);
    for (std::int64_t i = version; i < store_schema_version; ++i) {
        database.execute(migrations[static_cast<std::size_t>(i)]);
    }
    if (version == 0) {
        Statement insert(database, "INSERT INTO meta (only, store_id, last_seq) VALUES (1, ?, 0)");
        const std::string id = make_uuid();
        insert.bind(id).run();
    }
    database.execute(("PRAGMA user_version = " + std::to_string(store_schema_version)).c_str());
    transaction.commit();
    return {};
}

}  // namespace fanfare
