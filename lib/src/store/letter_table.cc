#include "store/letter_table.h"

#include <array>
#include <numeric>

namespace fanfare {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t schema_version = 1;

// The payload comes last: what is asked for without it is then found without reading over it.
constexpr const char* schema = R"sql(
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        bytes INTEGER NOT NULL,
        endpoint TEXT NOT NULL,
        reason TEXT NOT NULL,
        given_up_at INTEGER NOT NULL,
        accepted_at INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        action TEXT NOT NULL,
        media_type TEXT NOT NULL,
        target_media_type TEXT NOT NULL,
        traceparent TEXT NOT NULL,
        tracestate TEXT NOT NULL,
        last_status INTEGER NOT NULL,
        last_error TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        payload_bytes INTEGER NOT NULL,
        payload BLOB NOT NULL
    );
    CREATE INDEX letters_by_endpoint ON letters (endpoint, id);
    PRAGMA user_version = 1;
)sql";

constexpr std::string_view letter_columns =
    "id, endpoint, event_id, seq, action, media_type, target_media_type, traceparent, tracestate, "
    "reason, last_status, last_error, attempts, accepted_at, given_up_at, payload_bytes";

/// A look at every page takes about a second per GiB; beyond this size start does not wait for it.
constexpr std::int64_t checked_bytes_max = std::int64_t{1} << 30;

std::int64_t to_number(WallTime time) {
    return std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
}

WallTime to_time(std::int64_t number) { return WallTime(milliseconds(number)); }

/// What stands for a type in the file; never changes.
std::string_view stored_text(MediaType type) noexcept {
    return type == MediaType::meta ? "meta" : media_type_text(type);
}

MediaType to_media_type(std::string_view text) {
    static constexpr std::array all = {MediaType::json, MediaType::registry_v1,
                                       MediaType::registry_v2, MediaType::cloudevents,
                                       MediaType::meta};
    for (const MediaType type : all) {
        if (stored_text(type) == text) return type;
    }
    return MediaType::json;
}

/// The conditions of a filter as SQL, and their values.
class Where {
  public:
    explicit Where(const LetterFilter& filter) : filter_(filter) {
        if (filter.id) text_ += " AND id = ?";
        if (filter.endpoint) text_ += " AND endpoint = ?";
        if (filter.reason) text_ += " AND reason = ?";
        if (filter.since) text_ += " AND given_up_at >= ?";
    }

    /// ` AND …`, behind another condition.
    const std::string& text() const { return text_; }

    void bind(Statement& statement) const {
        if (filter_.id) statement.bind(*filter_.id);
        if (filter_.endpoint) statement.bind(*filter_.endpoint);
        if (filter_.reason) statement.bind(*filter_.reason);
        if (filter_.since) statement.bind(to_number(*filter_.since));
    }

  private:
    const LetterFilter& filter_;
    std::string text_;
};

/// Runs a DELETE that returns the bytes of each letter.
LetterTotals run_erasing(Statement& statement) {
    LetterTotals erased;
    while (statement.next_row()) {
        erased += {1, static_cast<std::uint64_t>(statement.number(0))};
    }
    return erased;
}

void bind(Statement& statement, const DeadLetter& letter) {
    const Event& event = *letter.event;
    const bool has_answer = letter.last_status != 0 || letter.last_error == Reason::none;
    statement.bind(static_cast<std::int64_t>(LetterTable::bytes_of(letter)))
        .bind(letter.endpoint)
        .bind(to_string(letter.reason))
        .bind(to_number(letter.given_up_at))
        .bind(to_number(letter.accepted_at))
        .bind(event.id())
        .bind(static_cast<std::int64_t>(event.seq()))
        .bind(event.action())
        .bind(stored_text(event.type()))
        .bind(event.target_media_type())
        .bind(event.traceparent())
        .bind(event.tracestate())
        .bind(std::int64_t{letter.last_status})
        .bind(has_answer ? std::string_view() : to_string(letter.last_error))
        .bind(std::int64_t{letter.attempts})
        .bind(static_cast<std::int64_t>(event.payload().size()))
        .bind_blob(event.payload());
}

StoredLetter letter_in(const Statement& row, bool with_payload) {
    StoredLetter letter;
    int column = 0;
    const auto text = [&] { return std::string(row.text(column++)); };
    const auto number = [&] { return row.number(column++); };
    letter.id = number();
    letter.endpoint = text();
    letter.event_id = text();
    letter.seq = static_cast<std::uint64_t>(number());
    letter.action = text();
    letter.media_type = to_media_type(text());
    letter.target_media_type = text();
    letter.traceparent = text();
    letter.tracestate = text();
    letter.reason = text();
    letter.last_status = static_cast<int>(number());
    letter.last_error = text();
    letter.attempts = static_cast<unsigned>(number());
    letter.accepted_at = to_time(number());
    letter.given_up_at = to_time(number());
    letter.payload_bytes = static_cast<std::uint64_t>(number());
    if (with_payload) letter.payload = text();
    return letter;
}

}  // namespace

std::uint64_t LetterTable::bytes_of(const DeadLetter& letter) noexcept {
    const Event& event = *letter.event;
    return letter_overhead_bytes + letter.endpoint.size() + event.payload().size() +
           event.id().size() + event.action().size() + event.target_media_type().size() +
           event.traceparent().size() + event.tracestate().size();
}

Result<LetterTable> LetterTable::open(const std::string& file) {
    LetterTable table(file);
    const Result<void> prepared = table.prepare();
    if (prepared.has_error()) return prepared.error();
    return table;
}

Result<void> LetterTable::prepare() {
    // The lock keeps out those who would look in with tools of their own, and hold up writing. It
    // comes first: there is no shared memory then, for which a full disk would have no room.
    database_.execute("PRAGMA locking_mode = EXCLUSIVE");
    // This writes whenever it is said.
    const bool is_new = database_.number("PRAGMA page_count") == 0;
    if (is_new) database_.execute("PRAGMA auto_vacuum = INCREMENTAL");
    database_.execute(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 250;"
        "PRAGMA journal_size_limit = 1048576");
    const std::int64_t version = database_.number("PRAGMA user_version");
    if (version > schema_version) {
        return Error("was written by a newer fanfare (schema " + std::to_string(version) +
                     ", this one knows " + std::to_string(schema_version) + ")");
    }
    if (version == 0) {
        Transaction transaction(database_);
        database_.execute(schema);
        transaction.commit();
    }
    const std::int64_t bytes =
        database_.number("PRAGMA page_count") * database_.number("PRAGMA page_size");
    if (bytes <= checked_bytes_max) {
        Statement check(database_, "PRAGMA quick_check(1)");
        if (check.next_row() && check.text(0) != "ok") {
            throw SqliteError(SqliteError::damage, std::string(check.text(0)));
        }
    }
    Statement sum(database_, "SELECT count(*), coalesce(sum(bytes), 0) FROM letters");
    if (sum.next_row()) {
        totals_ = {static_cast<std::uint64_t>(sum.number(0)),
                   static_cast<std::uint64_t>(sum.number(1))};
    }
    return {};
}

LetterTotals LetterTable::add(std::span<const DeadLetter> letters, std::uint64_t bytes_max) {
    LetterTotals added;
    for (const DeadLetter& letter : letters) added += {1, bytes_of(letter)};
    Transaction transaction(database_);
    const LetterTotals evicted = evict(bytes_max, added.bytes);
    Statement insert(
        database_,
        "INSERT INTO letters (bytes, endpoint, reason, given_up_at, accepted_at, event_id, seq, "
        "action, media_type, target_media_type, traceparent, tracestate, last_status, last_error, "
        "attempts, payload_bytes, payload) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (const DeadLetter& letter : letters) {
        bind(insert, letter);
        insert.run();
    }
    transaction.commit();
    totals_ += added;
    totals_ -= evicted;
    return evicted;
}

LetterTotals LetterTable::evict(std::uint64_t bytes_max, std::uint64_t incoming) {
    LetterTotals evicted;
    Statement oldest(database_,
                     "DELETE FROM letters WHERE id = (SELECT min(id) FROM letters) "
                     "RETURNING bytes");
    while (totals_.letters > evicted.letters &&
           totals_.bytes - evicted.bytes + incoming > bytes_max) {
        const LetterTotals erased = run_erasing(oldest);
        if (erased.letters == 0) break;
        evicted += erased;
    }
    return evicted;
}

std::vector<StoredLetter> LetterTable::read(const LetterRange& range) {
    const Where where(range.filter);
    std::string query = "SELECT " + std::string(letter_columns);
    if (range.with_payload) query += ", payload";
    query += " FROM letters WHERE id > ? AND id <= ?" + where.text() + " ORDER BY id LIMIT ?";
    Statement statement(database_, query);
    statement.bind(range.after).bind(range.until);
    where.bind(statement);
    statement.bind(static_cast<std::int64_t>(range.letters_max));

    std::vector<StoredLetter> letters;
    std::uint64_t payload_bytes = 0;
    while (statement.next_row()) {
        letters.push_back(letter_in(statement, range.with_payload));
        payload_bytes += letters.back().payload_bytes;
        if (range.with_payload && payload_bytes >= range.payload_bytes_max) break;
    }
    return letters;
}

std::int64_t LetterTable::last_id() {
    return database_.number("SELECT coalesce(max(id), 0) FROM letters");
}

std::vector<std::int64_t> LetterTable::ids(const LetterFilter& filter, std::int64_t after) {
    const Where where(filter);
    Statement statement(
        database_, "SELECT id FROM letters WHERE id > ?" + where.text() + " ORDER BY id LIMIT ?");
    statement.bind(after);
    where.bind(statement);
    statement.bind(std::int64_t{erased_at_once_max});
    std::vector<std::int64_t> ids;
    while (statement.next_row()) ids.push_back(statement.number(0));
    return ids;
}

LetterTotals LetterTable::erase(std::span<const std::int64_t> ids) {
    LetterTotals erased;
    Transaction transaction(database_);
    Statement statement(database_, "DELETE FROM letters WHERE id = ? RETURNING bytes");
    for (const std::int64_t id : ids) {
        statement.bind(id);
        erased += run_erasing(statement);
    }
    transaction.commit();
    totals_ -= erased;
    return erased;
}

}  // namespace fanfare
