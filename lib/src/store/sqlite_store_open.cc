// How a store is found, made, checked at the start, and begun anew if it must be.
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "store/database_file.h"
#include "store/sqlite_store.h"
#include "store/store_files.h"
#include "store/store_schema.h"

namespace fanfare {

namespace fs = std::filesystem;

namespace {

constexpr int moved_aside_max = 1000;

std::string mark_of(const std::string& file) { return file + ".suspect"; }

/// A name for the file that is not taken yet; once too many are, the last one is.
std::string name_aside(const std::string& file) {
    std::string name = file + ".damaged";
    std::error_code ignored;
    for (int i = 2; i <= moved_aside_max && fs::exists(name, ignored); ++i) {
        name = file + ".damaged." + std::to_string(i);
    }
    return name;
}

void require_sound(Database& database) {
    Statement check(database, "PRAGMA quick_check(1)");
    if (check.next_row() && check.text(0) != "ok") {
        throw SqliteError(SqliteError::damage, std::string(check.text(0)));
    }
}

/// A file that has lost its end would be noticed only when that is needed.
void require_whole(Database& database, const std::string& file) {
    Statement checkpoint(database, "PRAGMA wal_checkpoint(FULL)");
    try {
        checkpoint.run();
    } catch (const SqliteError& error) {
        if (!error.is_full()) throw;
        return;
    }
    const auto pages = static_cast<std::uintmax_t>(database.number("PRAGMA page_count"));
    if (fs::file_size(file) < pages * store_page_bytes) {
        throw SqliteError(SqliteError::damage, "the file has lost its end");
    }
}

}  // namespace

void mark_suspect(const std::string& file) noexcept {
    try {
        std::ofstream mark(mark_of(file));
    } catch (...) {
        // Then the next start looks less closely.
    }
}

/// One opening of a store.
class StoreOpening {
  public:
    StoreOpening(const SqliteStoreOptions& options, Log& log)
        : options_(options), log_(log), file_(fs::path(options.dir) / SqliteStore::file_name) {}

    Result<std::unique_ptr<SqliteStore>> run() {
        std::error_code ignored;
        if (options_.must_exist && !fs::exists(file_, ignored)) {
            return Error("there is no store in " + options_.dir);
        }
        Result<DirLock> lock = DirLock::take(options_.dir, SqliteStore::lock_name);
        if (lock.has_error()) return lock.error();
        Result<std::unique_ptr<SqliteStore>> store = open_or_replace();
        if (store.has_value()) (*store)->lock_ = std::move(*lock);
        return store;
    }

  private:
    using Opened = Result<std::unique_ptr<SqliteStore>>;

    Opened open_or_replace() {
        Opened store = try_open();
        if (store.has_value() || damage_.empty()) return store;
        if (options_.recovery == Recovery::strict) return store;
        const std::string aside = name_aside(file_);
        const Result<void> moved = move_database(file_, aside);
        if (moved.has_error()) return moved.error();
        unmark();
        log_.error("store", "unusable store moved aside, beginning with an empty one",
                   {{"file", aside}, {"error", damage_}});
        store = try_open();
        if (store.has_value()) (*store)->moved_aside_ = 1;
        return store;
    }

    /// `damage_` is set if the file is damaged.
    Opened try_open() {
        damage_.clear();
        try {
            return open();
        } catch (const SqliteError& error) {
            if (error.is_damage()) damage_ = error.what();
            return Error(file_ + ": " + error.what());
        } catch (const fs::filesystem_error& error) {
            return Error(file_ + ": " + error.code().message());
        }
    }

    Opened open() {
        if (!fs::exists(file_)) {
            const Result<void> made = make();
            if (made.has_error()) return made.error();
        }
        // SQLite would begin anew with it, as if it had never been anything else.
        if (fs::file_size(file_) == 0) throw SqliteError(SqliteError::damage, "the file is empty");
        Database database(file_, options_.vfs);
        set_up_store(database, {options_.is_every_commit_synced, options_.log_pages});
        if (database.number("PRAGMA user_version") == 0) {
            throw SqliteError(SqliteError::damage, "the file has no tables");
        }
        const Result<void> ready = bring_up_to_date(database);
        if (ready.has_error()) return Error(file_ + ' ' + ready.error().message());
        if (fs::exists(mark_of(file_))) require_sound(database);
        unmark();
        require_whole(database, file_);
        return std::unique_ptr<SqliteStore>(new SqliteStore(options_, std::move(database)));
    }

    /// Under another name first: what bears the right one is a store, whole and on the disk.
    Result<void> make() {
        const std::string draft = file_ + ".new";
        remove_database(draft);
        Result<void> made = make_private_file(draft);
        if (made.has_error()) return made;
        {
            Database database(draft);
            set_up_store(database, {});
            made = bring_up_to_date(database);
            if (made.has_error()) return made;
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        remove_database(file_);  // what a file that is no more has left
        fs::rename(draft, file_);
        remove_database(draft);
        return sync_folder_of(file_);
    }

    void unmark() {
        std::error_code ignored;
        fs::remove(mark_of(file_), ignored);
    }

    const SqliteStoreOptions& options_;
    Log& log_;
    const std::string file_;
    std::string damage_;
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteStoreOptions& options,
                                                       Log& log) {
    return StoreOpening(options, log).run();
}

}  // namespace fanfare
