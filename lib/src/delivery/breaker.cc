#include "fanfare/retry.h"

namespace fanfare {

Breaker::Breaker(std::int64_t threshold, Duration backoff) noexcept
    : threshold_(threshold > 0 ? static_cast<std::uint64_t>(threshold) : default_threshold),
      backoff_(backoff > Duration::zero() ? backoff : default_backoff) {}

Duration Breaker::hold(TimePoint now) {
    return is_open() ? last_failure_ + backoff_ - now : Duration::zero();
}

void Breaker::record(const Outcome& outcome, TimePoint now) {
    if (outcome.verdict() == Verdict::delivered) {
        failures_ = 0;
    } else {
        ++failures_;
        last_failure_ = now;
    }
}

void Breaker::inherit(const RetryStrategy& previous) {
    const auto* const breaker = dynamic_cast<const Breaker*>(&previous);
    if (breaker == nullptr) return;
    failures_ = breaker->failures_;
    last_failure_ = breaker->last_failure_;
}

}  // namespace fanfare
