#include "http/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fanfare {
namespace {

using std::chrono::seconds;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                      "Thursday", "Friday", "Saturday"};

/// More would not fit into a Duration.
constexpr std::int64_t seconds_max = Duration::max().count() / 1'000'000'000;

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Duration> parse_seconds(std::string_view text) {
    if (!is_digits(text)) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return seconds(error == std::errc() ? std::min(value, seconds_max) : seconds_max);
}

/// Takes a date apart from left to right. What does not fit makes the whole no date.
class DateReader {
  public:
    explicit DateReader(std::string_view text) : rest_(text) {}

    bool is_over() const { return is_good_ && rest_.empty(); }

    void literal(std::string_view text) {
        is_good_ = is_good_ && rest_.starts_with(text);
        if (is_good_) rest_.remove_prefix(text.size());
    }

    bool accept(std::string_view text) {
        if (!is_good_ || !rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }

    int number(std::size_t digits) {
        is_good_ = is_good_ && rest_.size() >= digits && is_digits(rest_.substr(0, digits));
        if (!is_good_) return 0;
        int value = 0;
        std::from_chars(rest_.data(), rest_.data() + digits, value);
        rest_.remove_prefix(digits);
        return value;
    }

    /// The index of the name that comes next, by its first `letters` or whole.
    template <std::size_t N>
    unsigned name(const std::array<std::string_view, N>& names, std::size_t letters) {
        for (unsigned i = 0; i < N; ++i) {
            if (accept(names[i].substr(0, letters))) return i;
        }
        is_good_ = false;
        return 0;
    }

  private:
    std::string_view rest_;
    bool is_good_ = true;
};

struct Civil {
    int year = 0;
    unsigned month = 0;  // from 0
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

void read_time(DateReader& reader, Civil& civil) {
    civil.hour = reader.number(2);
    reader.literal(":");
    civil.minute = reader.number(2);
    reader.literal(":");
    civil.second = reader.number(2);
}

/// Sun, 06 Nov 1994 08:49:37 GMT
bool read_fixdate(DateReader reader, Civil& civil) {
    reader.name(weekdays, 3);
    reader.literal(", ");
    civil.day = reader.number(2);
    reader.literal(" ");
    civil.month = reader.name(months, 3);
    reader.literal(" ");
    civil.year = reader.number(4);
    reader.literal(" ");
    read_time(reader, civil);
    reader.literal(" GMT");
    return reader.is_over();
}

/// Sunday, 06-Nov-94 08:49:37 GMT. The year's century is the one that makes it no later than
/// fifty years from now.
bool read_rfc850(DateReader reader, Civil& civil, int year_now) {
    reader.name(weekdays, std::string_view::npos);
    reader.literal(", ");
    civil.day = reader.number(2);
    reader.literal("-");
    civil.month = reader.name(months, 3);
    reader.literal("-");
    civil.year = year_now - year_now % 100 + reader.number(2);
    if (civil.year > year_now + 50) civil.year -= 100;
    reader.literal(" ");
    read_time(reader, civil);
    reader.literal(" GMT");
    return reader.is_over();
}

/// Sun Nov  6 08:49:37 1994
bool read_asctime(DateReader reader, Civil& civil) {
    reader.name(weekdays, 3);
    reader.literal(" ");
    civil.month = reader.name(months, 3);
    reader.literal(" ");
    civil.day = reader.accept(" ") ? reader.number(1) : reader.number(2);
    reader.literal(" ");
    read_time(reader, civil);
    reader.literal(" ");
    civil.year = reader.number(4);
    return reader.is_over();
}

std::optional<WallTime> civil_time(const Civil& civil) {
    const std::chrono::year_month_day day{std::chrono::year(civil.year),
                                          std::chrono::month(civil.month + 1),
                                          std::chrono::day(static_cast<unsigned>(civil.day))};
    // 60: a leap second.
    if (!day.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 60) {
        return std::nullopt;
    }
    // Outside of these years a WallTime, in nanoseconds, overflows.
    if (civil.year < 1700 || civil.year > 2250) return std::nullopt;
    return std::chrono::sys_days(day) + std::chrono::hours(civil.hour) +
           std::chrono::minutes(civil.minute) + seconds(civil.second);
}

std::int64_t seconds_of(WallTime time) {
    return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

int year_of(WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    return static_cast<int>(std::chrono::year_month_day(day).year());
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
    const DateReader reader(text);
    Civil civil;
    const bool is_date = read_fixdate(reader, civil) || read_rfc850(reader, civil, year_of(now)) ||
                         read_asctime(reader, civil);
    return is_date ? civil_time(civil) : std::nullopt;
}

std::optional<Duration> parse_retry_after(std::string_view field, std::string_view date,
                                          WallTime now) {
    if (const std::optional<Duration> wait = parse_seconds(field)) return wait;
    const std::optional<WallTime> until = parse_http_date(field, now);
    if (!until) return std::nullopt;
    const WallTime from = parse_http_date(date, now).value_or(now);
    // In seconds: more than 292 years, in nanoseconds, overflow.
    const std::int64_t wait = seconds_of(*until) - seconds_of(from);
    return seconds(std::clamp(wait, std::int64_t{0}, seconds_max));
}

}  // namespace fanfare
