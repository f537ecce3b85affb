#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/wakeup.h"
#include "fanfare/retry.h"

namespace fanfare {

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

bool RetryGate::try_pass() { return strategy_->hold(clock_.now()) <= Duration::zero(); }

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

void RetryGate::record(const Outcome& outcome) {
    if (outcome.verdict() == Verdict::aborted) {
        strategy_->abandon();
    } else {
        strategy_->record(outcome, clock_.now());
    }
    for (Waiter* waiter : waiters_) waiter->wakeup.notify();
}

RetryingSink::RetryingSink(std::unique_ptr<Sink> next, const RetryLimits& limits,
                           const Context& context)
    : next_(std::move(next)), limits_(limits), context_(context) {}

awaitable<Outcome> RetryingSink::deliver(Attempt attempt) {
    for (;; ++attempt.number) {
        if (is_too_old(attempt)) co_return Outcome::reject(Reason::max_age);
        if (!context_.gate.try_pass()) co_await context_.gate.pass();

        const TimePoint started = context_.clock.now();
        Outcome outcome = Outcome::aborted();
        try {
            outcome = co_await next_->deliver(attempt);
        } catch (const boost::system::system_error& error) {
            if (error.code() == net::error::operation_aborted) {
                context_.gate.record(Outcome::aborted());
                throw;
            }
            outcome = Outcome::retry(Reason::exception, error.code());
        } catch (...) {
            outcome = Outcome::retry(Reason::exception);
        }
        context_.gate.record(outcome);
        context_.observer.attempted(attempt, outcome, started);

        if (outcome.verdict() != Verdict::retry) co_return outcome;
        if (limits_.attempts_max != 0 && attempt.number >= limits_.attempts_max) {
            co_return Outcome::reject(Reason::max_attempts, outcome.http_status(), outcome.error());
        }
    }
}

bool RetryingSink::is_too_old(const Attempt& attempt) const {
    if (limits_.age_max <= Duration::zero()) return false;
    return context_.clock.now() - attempt.batch.front()->accepted() >= limits_.age_max;
}

}  // namespace fanfare
