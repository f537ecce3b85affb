#include <algorithm>

#include "fanfare/retry.h"

namespace fanfare {

ExponentialBackoff::ExponentialBackoff(const Options& options, std::uint64_t random_seed)
    : options_(options), random_(random_seed) {
    const Options defaults;
    if (options_.factor <= Duration::zero()) options_.factor = defaults.factor;
    if (options_.max <= Duration::zero()) options_.max = defaults.max;
}

Duration ExponentialBackoff::bound(unsigned failures) const noexcept {
    if (failures == 0) return Duration::zero();
    // Doubling stops, and the sum is taken, before either could overflow.
    Duration growth = std::min(options_.factor, options_.max);
    for (unsigned i = 1; i < failures && growth < options_.max; ++i) {
        growth = growth > options_.max / 2 ? options_.max : growth * 2;
    }
    const Duration base = std::max(options_.base, -growth);
    return base >= options_.max - growth ? options_.max : base + growth;
}

Duration ExponentialBackoff::hold(TimePoint now) { return next_ - now; }

void ExponentialBackoff::record(const Outcome& outcome, TimePoint now) {
    if (outcome.verdict() == Verdict::delivered) {
        failures_ = 0;
        next_ = {};
    } else {
        const Duration limit = bound(++failures_);
        std::uniform_int_distribution<Duration::rep> draw(
            0, std::max<Duration::rep>(limit.count() - 1, 0));
        next_ = now + Duration(draw(random_));
    }
}

}  // namespace fanfare
