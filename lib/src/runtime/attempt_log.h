#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "fanfare/endpoint.h"
#include "fanfare/log.h"

namespace fanfare {

/// How often something happened per second over the last ten. Shard thread.
class Rate {
  public:
    void add(std::uint64_t count, TimePoint now) noexcept;
    double per_second(TimePoint now) const noexcept;

  private:
    static constexpr std::int64_t seconds = 10;
    void forget_old(std::int64_t second) noexcept;

    std::array<std::uint64_t, seconds> counts_{};
    std::int64_t last_ = 0;
};

/// Lets one line through per interval and counts what it holds back.
class LogThrottle {
  public:
    static constexpr Duration interval = std::chrono::seconds(10);
    /// For the first line of a new incident.
    static constexpr Duration interval_anew = std::chrono::seconds(1);

    /// The number of lines held back since the last one, if one may go now.
    std::optional<std::uint64_t> admit(TimePoint now) noexcept;

    /// What comes next is another incident.
    void begin_anew() noexcept { is_anew_ = true; }

  private:
    TimePoint last_ = TimePoint::min();
    std::uint64_t suppressed_ = 0;
    bool is_anew_ = false;
};

/// How an endpoint fares, from attempt to attempt: for its status, and for the log, which tells
/// of the first failure, of breaker changes, and then at most once per ten seconds (SPEC 14).
class AttemptLog {
  public:
    AttemptLog(std::string endpoint, Log& log, Clock& clock, const Executor& executor);

    void succeeded(const Attempt& attempt, TimePoint now, bool is_breaker_open);
    /// `counts`: the receiver has failed; not that it asked for time, or refused one event.
    struct Failure {
        const Outcome& outcome;
        bool counts;
    };
    void failed(const Attempt& attempt, const Failure& failure, bool is_breaker_open);
    /// Another process has delivered to it.
    void recovered(bool is_breaker_open);
    /// The receiver asked for time.
    void paused(Duration wait);
    /// Events were given up: told of at once if it is the first time in ten seconds, by their
    /// number after them otherwise.
    void given_up(Batch batch, DeadReason reason);
    /// No more will come: tells what has not been told.
    void finish();

    /// Of all attempts that count.
    unsigned failures_in_a_row() const noexcept { return failures_in_a_row_; }
    /// min() if there was none.
    TimePoint last_success() const noexcept { return last_success_; }
    /// Of the last attempt that went wrong; empty if none did.
    const std::string& last_error() const noexcept { return last_error_; }

    /// Fills in what this knows of the endpoint.
    void describe(EndpointSnapshot& snapshot) const;

  private:
    void note_breaker(bool is_open);
    void tell_given_up();

    const std::string endpoint_;
    Log& log_;
    Clock& clock_;
    unsigned failures_in_a_row_ = 0;
    bool was_breaker_open_ = false;
    LogThrottle failures_throttle_;
    std::unique_ptr<Alarm> given_up_alarm_;
    bool is_giving_up_ = false;
    std::uint64_t given_up_untold_ = 0;
    Rate delivered_;
    std::string last_error_;
    WallTime last_error_at_{};
    TimePoint last_success_ = TimePoint::min();
};

}  // namespace fanfare
