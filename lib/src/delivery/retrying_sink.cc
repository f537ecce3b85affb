#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "base/wakeup.h"
#include "fanfare/retry.h"

namespace fanfare {
namespace {

/// What it means for an attempt that the sink has thrown.
Outcome outcome_of(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        if (error.code() == net::error::operation_aborted) return Outcome::aborted();
        return Outcome::retry(Reason::exception, error.code());
    } catch (...) {
        return Outcome::retry(Reason::exception);
    }
}

}  // namespace

/// A worker that waits at a gate: in the gate's list as long as it does.
class RetryGate::Waiter {
  public:
    explicit Waiter(RetryGate& gate)
        : wakeup(gate.executor_),
          waiters_(gate.waiters_),
          self_(waiters_.insert(waiters_.end(), this)) {}
    ~Waiter() { waiters_.erase(self_); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    Wakeup wakeup;

  private:
    std::list<Waiter*>& waiters_;
    std::list<Waiter*>::iterator self_;
};

RetryGate::RetryGate(std::unique_ptr<RetryStrategy> strategy, Clock& clock, Executor executor)
    : strategy_(std::move(strategy)), clock_(clock), executor_(std::move(executor)) {}

RetryGate::~RetryGate() = default;

bool RetryGate::try_pass(TimePoint now) { return strategy_->hold(now) <= Duration::zero(); }

awaitable<void> RetryGate::pass() {
    Waiter waiter(*this);
    for (;;) {
        const Duration hold = strategy_->hold(clock_.now());
        if (hold <= Duration::zero()) co_return;
        if (hold == RetryStrategy::until_changed) {
            co_await waiter.wakeup.wait();
        } else {
            co_await wait_until(clock_, clock_.now() + hold, waiter.wakeup);
        }
    }
}

void RetryGate::record(const Outcome& outcome, TimePoint now) {
    if (outcome.verdict() == Verdict::aborted) {
        strategy_->abandon();
    } else {
        strategy_->record(outcome, now);
    }
    for (Waiter* waiter : waiters_) waiter->wakeup.notify();
}

RetryingSink::RetryingSink(std::unique_ptr<Sink> next, const RetryLimits& limits,
                           const Context& context)
    : next_(std::move(next)), limits_(limits), context_(context) {}

awaitable<Outcome> RetryingSink::deliver(Attempt attempt) {
    for (;; ++attempt.number) {
        TimePoint started = context_.clock.now();
        if (is_too_old(attempt, started)) co_return Outcome::reject(Reason::max_age);
        if (!context_.gate.try_pass(started)) {
            co_await context_.gate.pass();
            started = context_.clock.now();
            if (is_too_old(attempt, started)) {
                context_.gate.record(Outcome::aborted(), started);
                co_return Outcome::reject(Reason::max_age);
            }
        }
        context_.observer.attempting(attempt);
        Outcome outcome = Outcome::aborted();
        try {
            outcome = co_await next_->deliver(attempt);
        } catch (...) {
            outcome = outcome_of(std::current_exception());
        }
        if (outcome.verdict() == Verdict::aborted) {
            // A sink that gives up by itself, its own timeout say, has failed like any other. Were
            // it taken for an abort, its batch would come back at once and for ever.
            const net::cancellation_state state = co_await net::this_coro::cancellation_state;
            const bool is_cancelled = state.cancelled() != net::cancellation_type::none;
            if (!is_cancelled) outcome = Outcome::retry(Reason::exception);
        }
        const TimePoint ended = context_.clock.now();
        context_.gate.record(outcome, ended);
        context_.observer.attempted(attempt, outcome, started, ended);

        if (outcome.verdict() != Verdict::retry) co_return outcome;
        if (limits_.attempts_max != 0 && attempt.number >= limits_.attempts_max) {
            co_return Outcome::reject(Reason::max_attempts, outcome.http_status(), outcome.error());
        }
    }
}

bool RetryingSink::is_too_old(const Attempt& attempt, TimePoint now) const {
    if (limits_.age_max <= Duration::zero()) return false;
    return now - attempt.batch.front()->accepted() >= limits_.age_max;
}

}  // namespace fanfare
