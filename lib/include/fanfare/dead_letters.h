#pragma once

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
};

/// Where events go that were given up. Any thread; never blocks, never throws.
class DeadLetterBox {
  public:
    virtual ~DeadLetterBox() = default;
    virtual void put(DeadLetter letter) noexcept = 0;
};

}  // namespace fanfare
