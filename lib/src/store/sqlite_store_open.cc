// How a store is found, made, checked at the start, and begun anew if it must be.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
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
        const bool is_damaged = store.has_error() && !damage_.empty();
        if (!is_damaged || options_.recovery == Recovery::strict) return store;
        const std::string damage = damage_;
        Result<void> replaced = salvage();
        if (replaced.has_error()) return replaced.error();
        log_.error("store", "damaged store moved aside, going on with what could be read of it",
                   {{"file", aside_},
                    {"error", damage},
                    {"events", salvaged_.events},
                    {"lost_events", salvaged_.lost_events}});
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
        Result<void> there = finish_salvage();
        if (there.has_value() && !fs::exists(file_)) {
            require_no_log();
            there = make();
        }
        if (there.has_error()) return there.error();
        // SQLite would begin anew with it, as if it had never been anything else.
        const std::uintmax_t bytes = fs::file_size(file_);
        if (bytes == 0) throw SqliteError(SqliteError::damage, "the file is empty");
        // SQLite would take it for an empty one, and write into it.
        if (bytes < std::uintmax_t{store_page_bytes}) {
            throw SqliteError(SqliteError::damage, "the file is cut short");
        }
        Database database(file_, options_.vfs);
        set_up_store(database, {options_.is_every_commit_synced, options_.log_pages});
        require_writable(database);
        if (database.number("PRAGMA user_version") == 0) {
            throw SqliteError(SqliteError::damage, "the file has no tables");
        }
        const Result<void> ready = bring_up_to_date(database);
        if (ready.has_error()) return Error(file_ + ' ' + ready.error().message());
        if (fs::exists(mark_of(file_))) require_sound(database);
        unmark();
        return std::unique_ptr<SqliteStore>(new SqliteStore(options_, std::move(database)));
    }

    /// A log with something in it says that there was a file. Of the log alone nothing can be read.
    void require_no_log() const {
        std::error_code none;
        const std::uintmax_t bytes = fs::file_size(file_ + "-wal", none);
        if (none || bytes == 0) return;
        log_.error("store", "a log is there and its file is gone: what it held is lost",
                   {{"file", file_ + "-wal"}, {"bytes", bytes}});
        if (options_.recovery != Recovery::strict) return;
        throw fs::filesystem_error(file_,
                                   std::make_error_code(std::errc::no_such_file_or_directory));
    }

    /// SQLite would tell only when something is written.
    void require_writable(const Database& database) const {
        if (!database.is_read_only()) return;
        if (::access(file_.c_str(), W_OK) != 0) {
            throw fs::filesystem_error(file_, std::error_code(errno, std::generic_category()));
        }
        throw SqliteError(SqliteError::damage, "the file has a head that forbids writing");
    }

    /// Under another name first: what bears the right one is a store, whole and on the disk.
    Result<void> make() {
        remove_database(file_);  // what a file that is no more has left
        return make_draft(file_, [](Database&) {});
    }

    /// Makes a store and then gives it its name.
    Result<void> make_draft(const std::string& name, const std::function<void(Database&)>& fill) {
        const std::string draft = file_ + ".new";
        remove_database(draft);
        Result<void> made = make_private_file(draft);
        if (made.has_error()) return made;
        {
            Database database(draft);
            set_up_store(database, {});
            made = bring_up_to_date(database);
            if (made.has_error()) return made;
            fill(database);
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        fs::rename(draft, name);
        remove_database(draft);
        return sync_folder_of(name);
    }

    /// Makes a store of what can be read of the damaged one, and puts it in its place.
    Result<void> salvage() {
        aside_ = name_aside(file_);
        Result<void> made;
        try {
            made = make_draft(salvaged_name(), [this](Database& empty) {
                Database damaged(file_, options_.vfs);
                // Without this, not even a look is allowed at a file that has lost its end.
                damaged.execute("PRAGMA writable_schema = ON");
                set_up_store(damaged, {});
                salvaged_ = salvage_store(damaged, empty);
            });
        } catch (const SqliteError& error) {
            if (!error.is_damage()) return Error(file_ + ": " + error.what());
            salvaged_ = {};
            made = make_draft(salvaged_name(), [](Database&) {});
        }
        if (made.has_error()) return made;
        unmark();
        return finish_salvage();
    }

    /// Also if the process ended in the middle of it.
    Result<void> finish_salvage() {
        if (!fs::exists(salvaged_name())) return {};
        if (fs::exists(file_)) {
            Result<void> moved = move_database(file_, name_aside(file_));
            if (moved.has_error()) return moved;
        }
        remove_database(file_);
        fs::rename(salvaged_name(), file_);
        return sync_folder_of(file_);
    }

    std::string salvaged_name() const { return file_ + ".salvaged"; }

    void unmark() {
        std::error_code ignored;
        fs::remove(mark_of(file_), ignored);
    }

    const SqliteStoreOptions& options_;
    Log& log_;
    const std::string file_;
    std::string damage_;
    std::string aside_;
    Salvaged salvaged_;
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteStoreOptions& options,
                                                       Log& log) {
    return StoreOpening(options, log).run();
}

}  // namespace fanfare
