#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/dead_letters.h"
#include "fanfare/error.h"

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

/// Why a dead letter is not there any more, or never was, without anyone having asked for that.
enum class LostReason : std::uint8_t {
    evicted,    ///< made room for a newer one
    too_large,  ///< alone larger than all that may be kept
    backlog,    ///< more were given up than could be stored
    write,      ///< they could not be stored
};
inline constexpr std::size_t lost_reasons = 4;
std::string_view to_string(LostReason reason) noexcept;

/// What has become of dead letters since the start, and what there is.
struct DeadLetterCounts {
    std::uint64_t stored = 0;
    std::uint64_t replayed = 0;  ///< events that were queued again and came to an end there
    std::uint64_t purged = 0;
    std::array<std::uint64_t, lost_reasons> lost{};
    LetterTotals kept;
};

/// Dead letters that are kept somewhere, to be looked at, replayed and purged. Any thread.
class DeadLetters : public DeadLetterBox {
  public:
    /// False if the letter's event is on its way already. From then on the letter is neither
    /// purged nor replayed again, until it is discarded or kept.
    virtual bool begin_replay(std::int64_t letter) = 0;

    virtual DeadLetterCounts counts() const noexcept = 0;

    // These see what has been stored. An Error tells why it cannot be got at.
    virtual awaitable<Result<std::vector<StoredLetter>>> read(LetterRange range) = 0;
    /// The id of the newest letter, or of a newer one that is gone; 0 if there was none.
    virtual awaitable<Result<std::int64_t>> last_id() = 0;
    /// All but those whose events are queued again. How many there were.
    virtual awaitable<Result<std::uint64_t>> purge(LetterFilter filter) = 0;

    /// Ends when all that was put or discarded has been stored, or `limit` is over. Returns how
    /// many letters still wait for that.
    virtual awaitable<std::size_t> flush(Duration limit) = 0;
};

}  // namespace fanfare
