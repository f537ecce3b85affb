#include "fanfare/queue.h"

namespace fanfare {

std::string_view to_string(Overflow overflow) noexcept {
    switch (overflow) {
        case Overflow::drop_oldest:
            return "drop_oldest";
        case Overflow::drop_newest:
            return "drop_newest";
        case Overflow::reject:
            return "reject";
        case Overflow::dead_letter:
            return "dead_letter";
    }
    return "unknown";
}

Lease Queue::remove_oldest() {
    Lease oldest = lease_accepted_by(TimePoint::max());
    if (!oldest.is_empty()) settle(oldest, Settle::done);
    return oldest;
}

}  // namespace fanfare
