#include "base/timestamp.h"

#include <array>
#include <ctime>

namespace fanfare {

namespace {

/// With as many digits behind the point as `unit` has noughts.
std::string rfc3339_with(WallTime time, std::int64_t fraction, std::int64_t unit) {
    const std::time_t since_epoch =
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm parts{};
    gmtime_r(&since_epoch, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::string digits = std::to_string(unit + fraction);
    digits.front() = '.';
    return std::string(text.data(), size) + digits + 'Z';
}

template <class Unit>
std::int64_t fraction_of(WallTime time) {
    return std::chrono::floor<Unit>(time - std::chrono::floor<std::chrono::seconds>(time)).count();
}

}  // namespace

std::string rfc3339(WallTime time) {
    return rfc3339_with(time, fraction_of<std::chrono::milliseconds>(time), 1'000);
}

std::string rfc3339_micros(WallTime time) {
    return rfc3339_with(time, fraction_of<std::chrono::microseconds>(time), 1'000'000);
}

namespace {

/// Takes texts apart from their front; after anything unexpected it gives nothing more.
class Parts {
  public:
    explicit Parts(std::string_view text) : rest_(text) {}

    int number(std::size_t digits, int min, int max) {
        int value = 0;
        is_good_ = is_good_ && rest_.size() >= digits;
        for (std::size_t i = 0; is_good_ && i < digits; ++i) {
            is_good_ = is_digit(rest_[i]);
            value = value * 10 + (rest_[i] - '0');
        }
        is_good_ = is_good_ && value >= min && value <= max;
        if (is_good_) rest_.remove_prefix(digits);
        return value;
    }

    char one_of(std::string_view characters) {
        is_good_ = is_good_ && !rest_.empty() && characters.find(rest_[0]) != characters.npos;
        if (!is_good_) return '\0';
        const char found = rest_[0];
        rest_.remove_prefix(1);
        return found;
    }

    std::chrono::nanoseconds fraction() {
        if (!is_good_ || !rest_.starts_with('.')) return {};
        rest_.remove_prefix(1);
        is_good_ = !rest_.empty() && is_digit(rest_[0]);
        std::int64_t unit = 1'000'000'000;
        std::int64_t value = 0;
        for (; !rest_.empty() && is_digit(rest_[0]); rest_.remove_prefix(1)) {
            unit /= 10;
            value += (rest_[0] - '0') * unit;
        }
        return std::chrono::nanoseconds(value);
    }

    bool is_at_end() const { return is_good_ && rest_.empty(); }

  private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    std::string_view rest_;
    bool is_good_ = true;
};

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    Parts parts(text);
    const year of_year(parts.number(4, 1970, 2261));
    parts.one_of("-");
    const month of_month(static_cast<unsigned>(parts.number(2, 1, 12)));
    parts.one_of("-");
    const day of_day(static_cast<unsigned>(parts.number(2, 1, 31)));
    parts.one_of("Tt ");
    const hours hour(parts.number(2, 0, 23));
    parts.one_of(":");
    const minutes minute(parts.number(2, 0, 59));
    parts.one_of(":");
    const seconds second(parts.number(2, 0, 60));
    const nanoseconds fraction = parts.fraction();
    minutes offset{};
    const char sign = parts.one_of("Zz+-");
    if (sign == '+' || sign == '-') {
        offset = hours(parts.number(2, 0, 23));
        parts.one_of(":");
        offset += minutes(parts.number(2, 0, 59));
        if (sign == '-') offset = -offset;
    }
    const year_month_day date(of_year, of_month, of_day);
    if (!parts.is_at_end() || !date.ok()) return std::nullopt;
    return sys_days(date) + hour + minute + second + fraction - offset;
}

}  // namespace fanfare
