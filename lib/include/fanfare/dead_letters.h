#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "fanfare/event.h"
#include "fanfare/metrics.h"

namespace fanfare {

/// An event that an endpoint has given up, with its history there.
struct DeadLetter {
    std::string endpoint;
    EventPtr event;
    DeadReason reason = DeadReason::permanent;
    int last_status = 0;               ///< of the last attempt; 0: it had no answer
    Reason last_error = Reason::none;  ///< if there was no answer
    unsigned attempts = 0;
    WallTime accepted_at{};
    WallTime given_up_at{};
    /// Called with the event once nothing else needs to keep it: the letter is on the disk, or has
    /// made room for others. Any thread; may be empty.
    std::function<void(const Event&)> on_kept;
};

/// An event on its way to its endpoint again, and the letter that it is still kept in.
struct Replayed {
    std::shared_ptr<Event> event;
    std::int64_t letter = 0;  ///< the box's name for it; 0: there is none
};

/// Where events go that were given up. Any thread; never blocks, never throws.
class DeadLetterBox {
  public:
    virtual ~DeadLetterBox() = default;
    virtual void put(DeadLetter letter) noexcept = 0;

    /// The events of these letters were queued again, and have been delivered, given up anew or
    /// purged: the letters are needed no longer.
    virtual void discard(std::span<const std::int64_t> letters) noexcept;

    /// They were queued again, and are not any more: only the letters are left.
    virtual void keep(std::span<const std::int64_t> letters) noexcept;
};

inline void DeadLetterBox::discard(std::span<const std::int64_t>) noexcept {}
inline void DeadLetterBox::keep(std::span<const std::int64_t>) noexcept {}

}  // namespace fanfare
