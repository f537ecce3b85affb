#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace fanfare {

/// SQLite has signed numbers only.
inline std::int64_t to_sqlite(std::uint64_t number) noexcept {
    return static_cast<std::int64_t>(number);
}

/// What SQLite says went wrong. Thrown within this layer, whose classes turn it into values.
class SqliteError : public std::runtime_error {
  public:
    /// The code of a file that is damaged.
    static const int damage;

    SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}

    /// Whether the file is no database, or one that is damaged.
    bool is_damage() const noexcept;
    /// Whether there is no room for what was to be written, which then has not been.
    bool is_full() const noexcept;
    /// Whether the disk, and not what was asked for, is the reason: it may go well another time.
    bool is_about_disk() const noexcept;

  private:
    int code_;
};

/// A database file, open for one thread at a time. Everything may throw SqliteError.
class Database {
  public:
    /// Makes the file if it is not there. `vfs` is the SQLite VFS that reads and writes it; null:
    /// the usual one.
    explicit Database(const std::string& file, const char* vfs = nullptr);

    /// Runs statements that give no rows, separated by semicolons.
    void execute(const char* statements);
    /// The one number that `query` gives.
    std::int64_t number(std::string_view query);
    /// The write-ahead log stays when the file is closed.
    void keep_wal();
    /// Writes the log into the file whenever a commit leaves so many pages there. If that fails, so
    /// does the commit, which has been made all the same; but not if there is no room.
    void checkpoint_at(int log_pages) noexcept;

    /// Whether nothing can be written: the file does not allow it, or its head says so.
    bool is_read_only() const noexcept;

    sqlite3* handle() const noexcept { return handle_.get(); }

  private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

/// One prepared statement; the database must outlive it. Parameters are bound in their order.
class Statement {
  public:
    Statement(Database& database, std::string_view text);

    /// The text must stay where it is until the statement has run.
    Statement& bind(std::string_view text);
    Statement& bind(std::int64_t number);
    Statement& bind_blob(std::string_view bytes);
    /// What `row` has there, copied.
    Statement& bind_column(const Statement& row, int column);

    /// To the next row; false if there is none. Throws away what was bound once there is none.
    bool next_row();
    /// Runs a statement whose rows are of no interest.
    void run();
    /// Ends a query before its last row.
    void reset() noexcept;

    std::int64_t number(int column) const noexcept;
    /// Valid until the next row. Also for blobs.
    std::string_view text(int column) const noexcept;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const noexcept;
    };
    void check(int code) const;

    sqlite3* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    int bound_ = 0;
};

/// Undone when destroyed, unless it was committed.
class Transaction {
  public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void commit();

  private:
    Database& database_;
    bool is_open_ = true;
};

}  // namespace fanfare
