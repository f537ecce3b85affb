#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/letters.h"
#include "store/sqlite.h"

namespace fanfare {

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
