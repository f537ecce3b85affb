#include <algorithm>

#include "fanfare/retry.h"

namespace fanfare {

Breaker::Breaker(std::int64_t threshold, Duration backoff) noexcept
    : threshold_(threshold > 0 ? static_cast<std::uint64_t>(threshold) : default_threshold),
      backoff_(backoff > Duration::zero() ? backoff : default_backoff) {}

Duration Breaker::hold(TimePoint now) {
    if (is_open()) {
        const Duration left = last_failure_ + backoff_ - now;
        if (left > Duration::zero()) return left;
        if (in_flight_ > 0) return until_changed;
    } else if (in_flight_ >= in_flight_max_) {
        return until_changed;
    }
    ++in_flight_;
    return Duration::zero();
}

void Breaker::record(const Outcome& outcome, TimePoint now) {
    abandon();
    switch (outcome.verdict()) {
        case Verdict::delivered:
            if (is_open()) in_flight_max_ = 1;
            if (in_flight_max_ != unlimited) in_flight_max_ *= 2;
            if (in_flight_max_ > workers_max) in_flight_max_ = unlimited;
            failures_ = 0;
            break;
        case Verdict::retry:
            ++failures_;
            last_failure_ = now;
            break;
        case Verdict::reject:  // the receiver is alive and does not want this one event
        case Verdict::aborted:
        case Verdict::closed:
            break;
    }
}

void Breaker::abandon() { --in_flight_; }

}  // namespace fanfare
