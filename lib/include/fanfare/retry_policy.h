#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fanfare/event.h"
#include "fanfare/metrics.h"
#include "fanfare/outcome.h"

namespace fanfare {

/// What one endpoint does about attempts that fail (SPEC 7).
struct RetryPolicy {
    enum class Strategy : std::uint8_t {
        breaker,     ///< the registry's: back to back, then one per `backoff`, for ever
        exponential  ///< each event waits longer from failure to failure
    };
    /// How the wait of `exponential` is drawn: from [0, wait], from [wait / 2, wait], or not.
    enum class Jitter : std::uint8_t { full, equal, none };

    Strategy strategy = Strategy::breaker;

    /// Breaker: failures in a row, at the endpoint or of one event, before attempts wait for
    /// `backoff`. ≤ 0: the default.
    std::int64_t threshold = 10;
    Duration backoff = std::chrono::seconds(1);  ///< ≤ 0: the default

    /// Exponential: after f failures of an event a wait of min(initial × factor^(f-1), max).
    Duration initial = std::chrono::seconds(1);
    double factor = 2;
    Duration max = std::chrono::minutes(15);
    /// Exponential, if not empty: these waits instead; the last one repeats.
    std::vector<Duration> schedule;
    /// Not set: full, or none with a schedule.
    std::optional<Jitter> jitter;
    Jitter jitter_or_default() const noexcept {
        return jitter.value_or(schedule.empty() ? Jitter::full : Jitter::none);
    }

    unsigned attempts_max = 0;  ///< then an event is given up; 0: never
    Duration age_max{};         ///< the same, since it was accepted; 0: never

    std::vector<StatusRange> permanent;                ///< statuses that give an event up
    std::vector<StatusRange> retryable;                ///< statuses that never do
    bool gone_disables = false;                        ///< 410 ends the endpoint's deliveries
    Duration retry_after_max = std::chrono::hours(1);  ///< longest pause a receiver may ask for

    bool operator==(const RetryPolicy&) const = default;
};

/// What is to become of a batch after an attempt.
class [[nodiscard]] Decision {
  public:
    enum class Action : std::uint8_t {
        deliver,    ///< done
        retry,      ///< the same batch again, after retry_delay()
        pause,      ///< the same, and the whole endpoint waits for wait() first
        split,      ///< its halves, each as a batch of its own
        give_up,    ///< dead letter, for reason()
        disable,    ///< the receiver is gone for good
        give_back,  ///< nothing is known: as if there had been no attempt
        close       ///< the sink has ended for good
    };

    Decision(Action action) noexcept : action_(action) {}  // NOLINT: an action is a decision
    static Decision pause(Duration wait) noexcept;
    static Decision give_up(DeadReason reason) noexcept;

    Action action() const noexcept { return action_; }
    Duration wait() const noexcept { return wait_; }
    DeadReason reason() const noexcept { return reason_; }
    /// Whether the receiver has failed, and counts as such towards a breaker: not if it only
    /// refused this batch, or asked for time.
    bool is_failure() const noexcept;

  private:
    Action action_;
    DeadReason reason_ = DeadReason::permanent;
    Duration wait_{};
};

/// What decide() needs to know of the batch.
struct Progress {
    std::size_t events = 1;
    /// Earlier attempts that count towards `attempts_max`.
    unsigned failures = 0;
    /// The endpoint sends batches, so that one bad event could hold up others: it is searched for.
    bool is_batching = false;
    /// This is what is left of a larger batch that failed.
    bool is_part = false;
};

/// The one place that turns the outcome of an attempt into what is done about it. Pure.
Decision decide(const Outcome& outcome, const Progress& progress, const RetryPolicy& policy);

/// Whether it is time to give a batch up for its age. No event is given up before its time: it is
/// the youngest that counts.
bool is_too_old(Batch batch, const RetryPolicy& policy, TimePoint now) noexcept;

/// How long a batch waits after its `failures`-th failure (from 1). `random` is drawn evenly from
/// [0, 1). Never negative; what holds the whole endpoint back, a breaker say, comes on top.
Duration retry_delay(const RetryPolicy& policy, unsigned failures, double random) noexcept;

/// What retry_delay() never exceeds.
Duration retry_delay_max(const RetryPolicy& policy) noexcept;

}  // namespace fanfare
