#pragma once

#include <cstdint>
#include <string_view>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

/// What is to be done about an attempt.
enum class Verdict : std::uint8_t {
    delivered,  ///< the receiver took it
    retry,      ///< try again later
    reject,     ///< will never succeed: give this batch up
    aborted,    ///< cancelled; nothing is known about the receiver
    closed,     ///< the sink has ended for good and takes nothing more (go-events ErrSinkClosed)
};

/// Why. The first group are the `reason` values of errors_total (SPEC 14).
enum class Reason : std::uint8_t {
    none,
    dns,
    connect,
    tls,
    timeout,
    reset,     ///< the connection ended before an answer was complete
    protocol,  ///< what came back is not HTTP
    blocked,
    status,     ///< an answer with a status that is not accepted
    exception,  ///< a sink or filter threw
    permanent,  ///< an answer that says it will never be accepted
    max_attempts,
    max_age,
    closed,
};

std::string_view to_string(Reason reason) noexcept;

/// An inclusive range of HTTP statuses.
struct StatusRange {
    int first = 200;
    int last = 299;
    bool operator==(const StatusRange&) const = default;
};

/// The result of one attempt. A class, not an aggregate: GCC 12 destroys aggregates twice that
/// stand as temporaries beside `co_await`.
class [[nodiscard]] Outcome {
  public:
    static Outcome delivered(int http_status = 0) noexcept;
    /// No usable answer: counts as an error.
    static Outcome retry(Reason reason, error_code error = {}) noexcept;
    /// An answer that is not accepted: counts as a failure. `retry_after`: how long the receiver
    /// asks to be left alone; zero: it does not.
    static Outcome refused(int http_status, Duration retry_after = {}) noexcept;
    static Outcome reject(Reason reason, int http_status = 0, error_code error = {}) noexcept;
    static Outcome aborted() noexcept;
    static Outcome closed() noexcept;

    Verdict verdict() const noexcept { return verdict_; }
    Reason reason() const noexcept { return reason_; }
    /// 0 if there was no answer, or the sink does not speak HTTP.
    int http_status() const noexcept { return http_status_; }
    error_code error() const noexcept { return error_; }
    /// Zero if the receiver did not ask for time; never negative.
    Duration retry_after() const noexcept { return retry_after_; }

  private:
    Outcome(Verdict verdict, Reason reason, int http_status, error_code error) noexcept
        : verdict_(verdict), reason_(reason), http_status_(http_status), error_(error) {}

    Verdict verdict_;
    Reason reason_;
    int http_status_;
    error_code error_;
    Duration retry_after_{};
};

}  // namespace fanfare
