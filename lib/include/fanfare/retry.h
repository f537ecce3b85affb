#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "fanfare/retry_policy.h"
#include "fanfare/sink.h"

namespace fanfare {

/// When an endpoint may be tried. A pure state machine without clock or I/O: time comes in, a
/// delay comes out. One per endpoint, shared by its workers, all on one shard.
class RetryStrategy {
  public:
    virtual ~RetryStrategy() = default;

    /// How long attempts are held back from now on; zero or less: not at all.
    virtual Duration hold(TimePoint now) = 0;

    /// The result of an attempt: delivered, or one that counts as a failure of the receiver.
    virtual void record(const Outcome& outcome, TimePoint now) = 0;

    /// Whether attempts are being held back for failures. While they are, one goes at a time.
    virtual bool is_open() const noexcept { return false; }

    /// Goes on from where `previous` ends, which it replaces. Without it, it begins anew.
    virtual void inherit(const RetryStrategy& previous) { static_cast<void>(previous); }
};

/// go-events' Breaker with its defects mended: attempts go back to back until `threshold` in a row
/// have failed; from then on one probe goes per `backoff`, counted from the last failure on the
/// steady clock; any success resets the count. Counted per endpoint, not per event.
class Breaker final : public RetryStrategy {
  public:
    static constexpr unsigned default_threshold = 10;
    static constexpr Duration default_backoff = std::chrono::seconds(1);

    /// Values that are zero or less take the defaults, as in the registry.
    Breaker(std::int64_t threshold, Duration backoff) noexcept;

    Duration hold(TimePoint now) override;
    void record(const Outcome& outcome, TimePoint now) override;
    bool is_open() const noexcept override { return failures_ >= threshold_; }
    /// Another Breaker's failures count on.
    void inherit(const RetryStrategy& previous) override;

  private:
    std::uint64_t threshold_;
    Duration backoff_;
    std::uint64_t failures_ = 0;
    TimePoint last_failure_{};
};

/// Never holds an endpoint back: for a RetryPolicy by which each event waits for itself.
class NoHold final : public RetryStrategy {
  public:
    Duration hold(TimePoint) override { return Duration::zero(); }
    void record(const Outcome&, TimePoint) override {}
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

/// Where the attempts at an endpoint are let begin: as its strategy says, not while it is paused,
/// and after either one alone first; from then on each success lets one more be under way, which
/// doubles them from round to round. Shard thread.
class RetryGate {
  public:
    /// The leave to make one attempt. Unused when it is destroyed before record(): then there has
    /// been none. The gate must outlive it.
    class Pass {
      public:
        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Pass& operator=(Pass&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }
        ~Pass() {
            if (gate_ != nullptr) gate_->end_attempt();
        }

      private:
        friend class RetryGate;
        explicit Pass(RetryGate& gate) noexcept : gate_(&gate) {}

        RetryGate* gate_;
    };

    /// The clock must outlive the gate.
    RetryGate(std::unique_ptr<RetryStrategy> strategy, Clock& clock, Executor executor);
    ~RetryGate();

    /// Nothing if no attempt may begin now.
    std::optional<Pass> try_pass(TimePoint now);

    /// When an attempt may begin if nothing happens until then; max: not before something does.
    TimePoint opens_at(TimePoint now);

    /// Ends when an attempt may begin. Throws operation_aborted when cancelled.
    awaitable<Pass> pass();

    /// What came of an attempt.
    void record(Pass pass, const Outcome& outcome, const Decision& decision, TimePoint now);

    /// An operator's pause: nothing passes before resume(), which ends either pause.
    void pause();
    void resume();

    /// Somebody else has found that the receiver is to be left alone until then: nothing passes
    /// before, and then one attempt at a time until one succeeds. Replaces what was said before; a
    /// time in the past ends it. So does resume().
    void hold_until(TimePoint until);

    /// Somebody else has found that the receiver takes events: as if an attempt here had.
    void forget_failures(TimePoint now);

    /// Until when attempts made here have shown that the receiver is to be left alone; not after
    /// `now` if they have not.
    TimePoint own_hold(TimePoint now);

    /// From now on `strategy` decides. One attempt may begin at once, whatever held it back but an
    /// operator's pause.
    void replace(std::unique_ptr<RetryStrategy> strategy);

    bool is_open() const noexcept { return strategy_->is_open(); }
    /// Whether one attempt at a time may be under way, to see whether the receiver is there.
    bool is_probing() const noexcept { return in_flight_max_ == 1; }
    bool is_paused() const noexcept { return is_paused_; }
    /// In the past: nobody asked for time.
    TimePoint paused_until() const noexcept { return paused_until_; }

    /// The same of hold_until().
    TimePoint held_until() const noexcept { return held_until_; }

  private:
    class Waiter;

    static constexpr std::uint64_t unlimited = UINT64_MAX;
    static constexpr std::uint64_t attempts_max = 1024;

    bool is_held(TimePoint now);
    void pause_until(TimePoint until);
    void widen();
    void end_attempt() noexcept;
    void note_change() noexcept;

    std::unique_ptr<RetryStrategy> strategy_;
    Clock& clock_;
    Executor executor_;
    std::list<Waiter*> waiters_;
    std::uint64_t in_flight_ = 0;
    std::uint64_t in_flight_max_ = unlimited;  // small while recovering
    TimePoint paused_until_ = TimePoint::min();
    TimePoint held_until_ = TimePoint::min();  // by somebody else
    bool is_paused_ = false;
    bool has_free_pass_ = false;  // for one attempt, past strategy and receiver's pause
};

/// The strategy that belongs to a policy.
std::unique_ptr<RetryStrategy> make_strategy(const RetryPolicy& policy);

/// One attempt, with what the sink throws turned into an outcome: aborted if the calling coroutine
/// was cancelled, else an exception. Both must outlive the coroutine.
awaitable<Outcome> deliver_once(Sink& sink, Attempt attempt);

/// Tries `next` until it takes the batch, as go-events' RetryingSink does, for chains of one's own:
/// an Endpoint needs none. Waits in place, so strict order is kept. Turns what `next` throws into
/// outcomes; a cancelled wait throws operation_aborted. Ends with delivered, reject, aborted or
/// closed, never with retry. Splits nothing: a batch is given up as a whole.
class RetryingSink final : public Sink {
  public:
    /// gate, clock and observer must outlive the sink.
    struct Context {
        RetryGate& gate;
        Clock& clock;
        AttemptObserver& observer;
    };

    RetryingSink(std::unique_ptr<Sink> next, RetryPolicy policy, const Context& context);

    awaitable<Outcome> deliver(Attempt attempt) override;

  private:
    Duration delay(unsigned failures);

    std::unique_ptr<Sink> next_;
    RetryPolicy policy_;
    Context context_;
    std::minstd_rand random_;
};

}  // namespace fanfare
