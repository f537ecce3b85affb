#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {

/// Durations, all of them kept: a run has a few hundred thousand.
class Percentiles {
  public:
    void add(std::int64_t nanoseconds) { values_.push_back(nanoseconds); }

    /// Microseconds.
    double p99() {
        std::sort(values_.begin(), values_.end());
        return at(0.99);
    }

    /// Microseconds as JSON.
    std::string json() {
        std::sort(values_.begin(), values_.end());
        char text[160];
        std::snprintf(text, sizeof text,
                      "{\"count\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
                      "\"max_us\":%.1f}",
                      values_.size(), at(0.5), at(0.99), at(0.999), at(1.0));
        return text;
    }

  private:
    /// The smallest value that `share` of all values do not exceed.
    double at(double share) const {
        if (values_.empty()) return 0;
        const auto count = static_cast<double>(values_.size());
        const auto index = static_cast<std::size_t>(std::max(0.0, share * count - 1e-9));
        return static_cast<double>(values_[std::min(index, values_.size() - 1)]) / 1000.0;
    }

    std::vector<std::int64_t> values_;
};

}  // namespace bench
