#include "store/sqlite.h"

#include <sqlite3.h>

namespace fanfare {
namespace {

void check_code(int code, sqlite3* database) {
    if (code != SQLITE_OK) throw SqliteError(code, sqlite3_errmsg(database));
}

}  // namespace

const int SqliteError::damage = SQLITE_CORRUPT;

bool SqliteError::is_damage() const noexcept {
    const int primary = code_ & 0xff;
    // What we ask is right, so that a table that SQLite does not know of is one the file has lost.
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR;
}

bool SqliteError::is_full() const noexcept { return (code_ & 0xff) == SQLITE_FULL; }

bool SqliteError::is_about_disk() const noexcept {
    switch (code_ & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_READONLY:
        case SQLITE_IOERR:
        case SQLITE_FULL:
        case SQLITE_CANTOPEN:
            return true;
        default:
            return false;
    }
}

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Database::Database(const std::string& file, const char* vfs) {
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags, vfs);
    handle_.reset(handle);
    if (handle == nullptr) throw SqliteError(code, sqlite3_errstr(code));
    check_code(code, handle);
}

void Database::execute(const char* statements) {
    check_code(sqlite3_exec(handle(), statements, nullptr, nullptr, nullptr), handle());
}

std::int64_t Database::number(std::string_view query) {
    Statement statement(*this, query);
    return statement.next_row() ? statement.number(0) : 0;
}

void Database::keep_wal() {
    int on = 1;
    check_code(sqlite3_file_control(handle(), "main", SQLITE_FCNTL_PERSIST_WAL, &on), handle());
}

void Database::checkpoint_at(int log_pages) noexcept {
    // What SQLite does by itself keeps silent about errors.
    const auto hook = [](void* limit, sqlite3* database, const char* name, int pages) {
        if (pages < static_cast<int>(reinterpret_cast<std::intptr_t>(limit))) return SQLITE_OK;
        const int code =
            sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        return (code & 0xff) == SQLITE_FULL ? SQLITE_OK : code;
    };
    sqlite3_wal_hook(handle(), hook, reinterpret_cast<void*>(std::intptr_t{log_pages}));
}

bool Database::is_read_only() const noexcept { return sqlite3_db_readonly(handle(), "main") == 1; }

void Statement::Finalize::operator()(sqlite3_stmt* handle) const noexcept {
    sqlite3_finalize(handle);
}

Statement::Statement(Database& database, std::string_view text) : database_(database.handle()) {
    sqlite3_stmt* handle = nullptr;
    check(sqlite3_prepare_v2(database_, text.data(), static_cast<int>(text.size()), &handle,
                             nullptr));
    handle_.reset(handle);
}

void Statement::check(int code) const { check_code(code, database_); }

Statement& Statement::bind(std::string_view text) {
    check(sqlite3_bind_text64(handle_.get(), ++bound_, text.empty() ? "" : text.data(), text.size(),
                              SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(std::int64_t number) {
    check(sqlite3_bind_int64(handle_.get(), ++bound_, number));
    return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
    check(sqlite3_bind_blob64(handle_.get(), ++bound_, bytes.empty() ? "" : bytes.data(),
                              bytes.size(), SQLITE_STATIC));
    return *this;
}

Statement& Statement::bind_column(const Statement& row, int column) {
    check(sqlite3_bind_value(handle_.get(), ++bound_,
                             sqlite3_column_value(row.handle_.get(), column)));
    return *this;
}

bool Statement::next_row() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    bound_ = 0;
    if (code == SQLITE_DONE) {
        sqlite3_reset(handle_.get());
        return false;
    }
    const SqliteError error(code, sqlite3_errmsg(database_));
    sqlite3_reset(handle_.get());
    throw error;
}

void Statement::run() {
    while (next_row()) {
    }
}

void Statement::reset() noexcept {
    bound_ = 0;
    sqlite3_reset(handle_.get());
}

std::int64_t Statement::number(int column) const noexcept {
    return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::text(int column) const noexcept {
    const void* const bytes = sqlite3_column_blob(handle_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
    return bytes == nullptr ? std::string_view()
                            : std::string_view(static_cast<const char*>(bytes), size);
}

Transaction::Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    // Some errors have undone it already; then there is nothing to be said.
    if (is_open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    database_.execute("COMMIT");
    is_open_ = false;
}

}  // namespace fanfare
