#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/dead_letters.h"
#include "store/sqlite.h"

namespace fanfare {

/// A dead letter as it is kept. The payload is not always looked at.
struct StoredLetter {
    std::int64_t id = 0;  ///< from 1; later letters have higher ones, none is used twice
    std::string endpoint;
    std::string event_id;
    std::uint64_t seq = 0;
    std::string action;
    MediaType media_type = MediaType::json;
    std::string target_media_type;
    std::string traceparent;
    std::string tracestate;
    std::string reason;      ///< the text of a DeadReason
    int last_status = 0;     ///< 0: the last attempt had no answer
    std::string last_error;  ///< the text of a Reason, if there was no answer; else empty
    unsigned attempts = 0;
    WallTime accepted_at{};
    WallTime given_up_at{};
    std::uint64_t payload_bytes = 0;
    std::string payload;  ///< exactly as the event had it; empty if it was not asked for
};

/// Which letters are meant; what is not set leaves none out.
struct LetterFilter {
    std::optional<std::int64_t> id;
    std::optional<std::string> endpoint;
    std::optional<std::string> reason;
    std::optional<WallTime> since;  ///< given up then or later
};

/// A part of what a filter leaves, oldest first.
struct LetterRange {
    LetterFilter filter;
    std::int64_t after = 0;                                         ///< ids above this one
    std::int64_t until = std::numeric_limits<std::int64_t>::max();  ///< and up to this one
    std::size_t letters_max = 100;
    bool with_payload = false;
    /// Payload that is read at once; one letter is read however large it is.
    std::size_t payload_bytes_max = std::size_t{4} * 1024 * 1024;
};

/// How much there is.
struct LetterTotals {
    std::uint64_t letters = 0;
    std::uint64_t bytes = 0;  ///< with what a letter costs beside its payload
    LetterTotals& operator+=(const LetterTotals& other) noexcept;
    LetterTotals& operator-=(const LetterTotals& other) noexcept;
};

/// The table that dead letters are kept in. Blocks; one thread at a time. Everything may throw
/// SqliteError.
class LetterTable {
  public:
    /// What is taken for the columns besides the texts, and for the table's own needs.
    static constexpr std::uint64_t letter_overhead_bytes = 256;
    /// At most this many letters are erased in one go, so that nobody waits long.
    static constexpr std::size_t erased_at_once_max = 5000;

    /// Opens the file, or makes it. An Error for what must not be touched: a newer version's.
    static Result<LetterTable> open(const std::string& file);

    static std::uint64_t bytes_of(const DeadLetter& letter) noexcept;

    /// Adds the letters, in one transaction, and erases the oldest ones until all that is there
    /// fits `bytes_max`. Returns what was erased.
    LetterTotals add(std::span<const DeadLetter> letters, std::uint64_t bytes_max);

    std::vector<StoredLetter> read(const LetterRange& range);
    std::int64_t last_id();

    /// The first erased_at_once_max ids above `after` that `filter` leaves.
    std::vector<std::int64_t> ids(const LetterFilter& filter, std::int64_t after);
    LetterTotals erase(std::span<const std::int64_t> ids);

    LetterTotals totals() const noexcept { return totals_; }

  private:
    explicit LetterTable(const std::string& file) : database_(file) {}
    Result<void> prepare();
    LetterTotals evict(std::uint64_t bytes_max, std::uint64_t incoming);

    Database database_;
    LetterTotals totals_;
};

}  // namespace fanfare
