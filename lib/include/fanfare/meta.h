#pragma once

#include <cstdint>
#include <string_view>

#include "fanfare/clock.h"
#include "fanfare/event.h"
#include "fanfare/metrics.h"
#include "fanfare/outcome.h"

namespace fanfare {

/// Events of Fanfare's own (SPEC 16).
struct MetaOptions {
    bool enabled = true;
    /// Failures and errors in a row until an endpoint counts as down. Range [1, 100000]
    unsigned down_after = 5;
    bool operator==(const MetaOptions&) const = default;
};

/// Who hears what befalls endpoints. An endpoint calls these on its shard's thread, of attempts at
/// ordinary events only, and no more once it was removed or the broadcaster drains. Texts and
/// events are only looked at during the call. Any thread; must not block.
class EndpointNews {
  public:
    virtual ~EndpointNews() = default;

    /// See MetaOptions.
    virtual unsigned down_after() const noexcept = 0;

    struct Down {
        std::string_view endpoint;
        unsigned failures = 0;   ///< in a row
        std::string_view error;  ///< of the last attempt
    };
    /// Whether it was told; if not, the next failure tries again.
    virtual bool down(const Down& news) noexcept = 0;

    struct Up {
        std::string_view endpoint;
        unsigned failures = 0;  ///< in a row, until this success
        Duration down_for{};
    };
    /// The first success after a down() that was told.
    virtual void up(const Up& news) noexcept = 0;

    struct GivenUp {
        std::string_view endpoint;
        const Event& event;
        DeadReason reason = DeadReason::permanent;
        int status = 0;               ///< of the last attempt; 0: it had no answer
        Reason error = Reason::none;  ///< if there was no answer
        unsigned attempts = 0;
        std::uint64_t not_told = 0;  ///< others that were given up since the last one told
    };
    /// At most once a minute and endpoint. Whether it was told.
    virtual bool given_up(const GivenUp& news) noexcept = 0;
};

}  // namespace fanfare
