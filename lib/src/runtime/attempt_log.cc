#include "runtime/attempt_log.h"

#include <numeric>
#include <utility>

namespace fanfare {
namespace {

std::int64_t second_of(TimePoint time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string text_of(const Outcome& outcome) {
    if (outcome.http_status() != 0) return "status " + std::to_string(outcome.http_status());
    std::string text(to_string(outcome.reason()));
    if (outcome.error()) text += ": " + outcome.error().message();
    return text;
}

}  // namespace

void Rate::add(std::uint64_t count, TimePoint now) noexcept {
    forget_old(second_of(now));
    counts_[static_cast<std::size_t>(last_ % seconds)] += count;
}

double Rate::per_second(TimePoint now) const noexcept {
    Rate current = *this;
    current.forget_old(second_of(now));
    const std::uint64_t sum =
        std::accumulate(current.counts_.begin(), current.counts_.end(), std::uint64_t{0});
    return static_cast<double>(sum) / static_cast<double>(seconds);
}

void Rate::forget_old(std::int64_t second) noexcept {
    if (second - last_ >= seconds) counts_.fill(0);
    for (std::int64_t s = last_ + 1; s <= second && s - last_ <= seconds; ++s) {
        counts_[static_cast<std::size_t>(s % seconds)] = 0;
    }
    if (second > last_) last_ = second;
}

std::optional<std::uint64_t> LogThrottle::admit(TimePoint now) noexcept {
    const Duration wait = is_anew_ ? interval_anew : interval;
    if (last_ != TimePoint::min() && now - last_ < wait) {
        ++suppressed_;
        return std::nullopt;
    }
    last_ = now;
    is_anew_ = false;
    return std::exchange(suppressed_, 0);
}

AttemptLog::AttemptLog(std::string endpoint, Log& log, Clock& clock, const Executor& executor)
    : endpoint_(std::move(endpoint)),
      log_(log),
      clock_(clock),
      given_up_alarm_(clock.make_alarm(executor)) {}

void AttemptLog::succeeded(const Attempt& attempt, TimePoint now, bool is_breaker_open) {
    if (failures_in_a_row_ > 0) failures_throttle_.begin_anew();
    failures_in_a_row_ = 0;
    last_success_ = now;
    delivered_.add(attempt.batch.size(), now);
    if (was_breaker_open_ != is_breaker_open) note_breaker(is_breaker_open);
    if (log_.is_enabled(LogLevel::debug)) {
        const Event& event = *attempt.batch.front();
        log_.debug("endpoint", "delivered",
                   {{"endpoint", endpoint_},
                    {"seq", event.seq()},
                    {"event_id", event.id()},
                    {"attempt", attempt.number}});
    }
}

void AttemptLog::failed(const Attempt& attempt, const Failure& failure, bool is_breaker_open) {
    const Outcome& outcome = failure.outcome;
    if (failure.counts) ++failures_in_a_row_;
    last_error_ = text_of(outcome);
    last_error_at_ = clock_.wall();
    const std::optional<std::uint64_t> suppressed = failures_throttle_.admit(clock_.now());
    if (suppressed) {
        const Event& event = *attempt.batch.front();
        log_.warn("endpoint", "delivery failed",
                  {{"endpoint", endpoint_},
                   {"seq", event.seq()},
                   {"event_id", event.id()},
                   {"attempt", attempt.number},
                   {"reason", to_string(outcome.reason())},
                   {"status", outcome.http_status()},
                   {"error", last_error_},
                   {"suppressed", *suppressed}});
    }
    if (was_breaker_open_ != is_breaker_open) note_breaker(is_breaker_open);
}

void AttemptLog::recovered(bool is_breaker_open) {
    failures_throttle_.begin_anew();
    failures_in_a_row_ = 0;
    log_.info("endpoint", "endpoint is well, another process has delivered to it",
              {{"endpoint", endpoint_}});
    if (was_breaker_open_ != is_breaker_open) note_breaker(is_breaker_open);
}

void AttemptLog::paused(Duration wait) {
    log_.info(
        "endpoint", "paused by its receiver",
        {{"endpoint", endpoint_}, {"pause_seconds", std::chrono::duration<double>(wait).count()}});
}

void AttemptLog::note_breaker(bool is_open) {
    was_breaker_open_ = is_open;
    if (is_open) {
        log_.warn("endpoint", "breaker opened",
                  {{"endpoint", endpoint_},
                   {"failures_in_a_row", failures_in_a_row_},
                   {"error", last_error_}});
    } else {
        log_.info("endpoint", "breaker closed", {{"endpoint", endpoint_}});
    }
}

void AttemptLog::given_up(Batch batch, DeadReason reason) {
    if (is_giving_up_) {
        given_up_untold_ += batch.size();
        return;
    }
    is_giving_up_ = true;
    given_up_alarm_->set(clock_.now() + LogThrottle::interval, [this] { tell_given_up(); });
    const Event& event = *batch.front();
    log_.error("endpoint", "event given up",
               {{"endpoint", endpoint_},
                {"seq", event.seq()},
                {"event_id", event.id()},
                {"reason", to_string(reason)},
                {"events", batch.size()},
                {"error", last_error_}});
}

void AttemptLog::tell_given_up() {
    is_giving_up_ = given_up_untold_ > 0;
    if (!is_giving_up_) return;
    given_up_alarm_->set(clock_.now() + LogThrottle::interval, [this] { tell_given_up(); });
    log_.error("endpoint", "more events given up",
               {{"endpoint", endpoint_}, {"events", given_up_untold_}, {"error", last_error_}});
    given_up_untold_ = 0;
}

void AttemptLog::finish() {
    tell_given_up();
    given_up_alarm_->clear();
}

void AttemptLog::describe(EndpointSnapshot& snapshot) const {
    const TimePoint now = clock_.now();
    snapshot.delivered_per_second = delivered_.per_second(now);
    snapshot.last_error = last_error_;
    snapshot.last_error_at = last_error_at_;
    if (last_success_ != TimePoint::min()) {
        snapshot.last_success_at =
            clock_.wall() - std::chrono::duration_cast<WallTime::duration>(now - last_success_);
    }
}

}  // namespace fanfare
