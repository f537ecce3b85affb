#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <random>

#include "fanfare/sink.h"

namespace fanfare {

/// When to try. A pure state machine without clock or I/O: time comes in, a delay comes out.
/// One per endpoint, shared by its workers, all on one shard.
class RetryStrategy {
  public:
    virtual ~RetryStrategy() = default;

    /// How long to wait before the next attempt; zero or less: go now, and the attempt counts as
    /// begun. until_changed: there is nothing to wait for but the result of another attempt.
    virtual Duration hold(TimePoint now) = 0;

    /// The result of an attempt that hold() let go.
    virtual void record(const Outcome& outcome, TimePoint now) = 0;

    /// An attempt that hold() let go was aborted and has no result.
    virtual void abandon() {}

    /// Whether attempts are being held back for failures.
    virtual bool is_open() const noexcept { return false; }

    static constexpr Duration until_changed = Duration::max();
};

/// go-events' Breaker with its defects mended: attempts go back to back until `threshold` in a row
/// have failed; from then on one probe goes per `backoff`, counted from the last failure on the
/// steady clock; any success resets the count. Counted per endpoint, not per event. With several
/// workers exactly one probes; after its success two may go at once, and with each further success
/// twice as many as before.
class Breaker final : public RetryStrategy {
  public:
    static constexpr unsigned default_threshold = 10;
    static constexpr Duration default_backoff = std::chrono::seconds(1);

    /// Values that are zero or less take the defaults, as in the registry.
    Breaker(std::int64_t threshold, Duration backoff) noexcept;

    Duration hold(TimePoint now) override;
    void record(const Outcome& outcome, TimePoint now) override;
    void abandon() override;
    bool is_open() const noexcept override { return failures_ >= threshold_; }

  private:
    static constexpr std::uint64_t unlimited = UINT64_MAX;
    static constexpr std::uint64_t workers_max = 1024;

    std::uint64_t threshold_;
    Duration backoff_;
    std::uint64_t failures_ = 0;
    TimePoint last_failure_{};
    std::uint64_t in_flight_ = 0;
    std::uint64_t in_flight_max_ = unlimited;  // small while recovering
};

/// go-events' ExponentialBackoff: after f failures in a row a wait drawn evenly from
/// [0, min(base + factor × 2^(f-1), max)). Saturates where go-events overflows; a bound of zero
/// waits not at all where go-events panics.
class ExponentialBackoff final : public RetryStrategy {
  public:
    struct Options {
        Duration base = std::chrono::seconds(1);
        Duration factor = std::chrono::seconds(1);  ///< ≤ 0: the default
        Duration max = std::chrono::seconds(20);    ///< ≤ 0: the default
    };

    ExponentialBackoff(const Options& options, std::uint64_t random_seed);

    Duration hold(TimePoint now) override;
    void record(const Outcome& outcome, TimePoint now) override;
    bool is_open() const noexcept override { return failures_ > 0; }

    /// The upper bound of the wait after `failures` failures in a row.
    Duration bound(unsigned failures) const noexcept;

  private:
    Options options_;
    std::mt19937_64 random_;
    unsigned failures_ = 0;
    TimePoint next_{};
};

/// Makes an endpoint's workers wait as its strategy says, and wakes them when that changes.
class RetryGate {
  public:
    /// Both references must outlive the gate.
    RetryGate(std::unique_ptr<RetryStrategy> strategy, Clock& clock, Executor executor);
    ~RetryGate();

    /// Whether an attempt may begin now; if so, it has.
    bool try_pass(TimePoint now);

    /// Ends when an attempt may begin. Throws operation_aborted when cancelled.
    awaitable<void> pass();

    /// Ends the attempt that was let begin; an aborted outcome is no result.
    void record(const Outcome& outcome, TimePoint now);

    bool is_open() const noexcept { return strategy_->is_open(); }

  private:
    class Waiter;

    std::unique_ptr<RetryStrategy> strategy_;
    Clock& clock_;
    Executor executor_;
    std::list<Waiter*> waiters_;
};

/// When to give an event up; 0: never.
struct RetryLimits {
    unsigned attempts_max = 0;
    Duration age_max{};  ///< since the event was accepted
    bool operator==(const RetryLimits&) const = default;
};

/// Tries `next` until it takes the batch, as go-events' RetryingSink does. Waits in place, so
/// strict order is kept. Turns what `next` throws into outcomes; a cancelled wait throws
/// operation_aborted. Ends with delivered, reject, aborted or closed, never with retry.
class RetryingSink final : public Sink {
  public:
    /// gate, clock and observer must outlive the sink.
    struct Context {
        RetryGate& gate;
        Clock& clock;
        AttemptObserver& observer;
    };

    RetryingSink(std::unique_ptr<Sink> next, const RetryLimits& limits, const Context& context);

    awaitable<Outcome> deliver(Attempt attempt) override;

  private:
    bool is_too_old(const Attempt& attempt, TimePoint now) const;

    std::unique_ptr<Sink> next_;
    RetryLimits limits_;
    Context context_;
};

}  // namespace fanfare
