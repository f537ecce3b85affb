#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "fanfare/clock.h"

namespace fanfare::sim {

/// All that a seed decides comes from here. The same on every machine, which the distributions of
/// the standard library do not promise.
class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t next() { return engine_(); }
    /// From [0, end).
    std::uint64_t below(std::uint64_t end) { return next() % end; }
    /// From [first, last].
    std::uint64_t between(std::uint64_t first, std::uint64_t last) {
        return first + below(last - first + 1);
    }
    bool one_in(std::uint64_t count) { return below(count) == 0; }
    bool percent(std::uint64_t chance) { return below(100) < chance; }

    Duration between(Duration first, Duration last) {
        const auto steps = static_cast<std::uint64_t>((last - first).count()) + 1;
        return first + Duration(static_cast<Duration::rep>(below(steps)));
    }

    template <class T>
    const T& pick(const std::vector<T>& from) {
        return from[below(from.size())];
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace fanfare::sim
