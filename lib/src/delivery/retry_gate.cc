#include <algorithm>
#include <cassert>

#include "base/wakeup.h"
#include "fanfare/retry.h"

namespace fanfare {

/// A coroutine that waits at a gate: in the gate's list as long as it does.
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

std::optional<RetryGate::Pass> RetryGate::try_pass(TimePoint now) {
    if (is_paused_ || in_flight_ >= in_flight_max_) return std::nullopt;
    if (is_held(now) && !has_free_pass_) return std::nullopt;
    has_free_pass_ = false;
    ++in_flight_;
    return Pass(*this);
}

bool RetryGate::is_held(TimePoint now) {
    return now < std::max(paused_until_, held_until_) || strategy_->hold(now) > Duration::zero();
}

TimePoint RetryGate::opens_at(TimePoint now) {
    if (is_paused_ || in_flight_ >= in_flight_max_) return TimePoint::max();
    if (has_free_pass_) return now;
    return std::max(own_hold(now), held_until_);
}

TimePoint RetryGate::own_hold(TimePoint now) {
    const Duration hold = strategy_->hold(now);
    return hold < TimePoint::max() - now ? std::max(now + hold, paused_until_) : TimePoint::max();
}

awaitable<RetryGate::Pass> RetryGate::pass() {
    Waiter waiter(*this);
    for (;;) {
        const TimePoint now = clock_.now();
        std::optional<Pass> pass = try_pass(now);
        if (pass) co_return *std::move(pass);
        const TimePoint at = opens_at(now);
        if (at == TimePoint::max()) {
            co_await waiter.wakeup.wait();
        } else {
            co_await wait_until(clock_, at, waiter.wakeup);
        }
    }
}

void RetryGate::record(Pass pass, const Outcome& outcome, const Decision& decision, TimePoint now) {
    assert(pass.gate_ == this);
    const bool is_delivered = decision.action() == Decision::Action::deliver;
    if (is_delivered || decision.is_failure()) strategy_->record(outcome, now);
    if (is_delivered) widen();
    if (decision.action() == Decision::Action::pause) pause_until(now + decision.wait());
    if (strategy_->is_open()) in_flight_max_ = 1;
}

void RetryGate::widen() {
    if (in_flight_max_ == unlimited) return;
    in_flight_max_ = in_flight_max_ < attempts_max ? in_flight_max_ + 1 : unlimited;
}

void RetryGate::end_attempt() noexcept {
    assert(in_flight_ > 0);
    --in_flight_;
    note_change();
}

void RetryGate::pause_until(TimePoint until) {
    paused_until_ = std::max(paused_until_, until);
    in_flight_max_ = 1;
}

void RetryGate::pause() {
    is_paused_ = true;
    in_flight_max_ = 1;
}

void RetryGate::hold_until(TimePoint until) {
    held_until_ = until;
    if (until > clock_.now()) in_flight_max_ = 1;
    note_change();
}

void RetryGate::forget_failures(TimePoint now) {
    strategy_->record(Outcome::delivered(200), now);
    note_change();
}

void RetryGate::resume() {
    is_paused_ = false;
    paused_until_ = TimePoint::min();
    held_until_ = TimePoint::min();
    note_change();
}

void RetryGate::replace(std::unique_ptr<RetryStrategy> strategy) {
    strategy->inherit(*strategy_);
    strategy_ = std::move(strategy);
    if (strategy_->is_open()) in_flight_max_ = 1;
    paused_until_ = TimePoint::min();
    held_until_ = TimePoint::min();
    has_free_pass_ = true;
    note_change();
}

void RetryGate::note_change() noexcept {
    for (Waiter* waiter : waiters_) waiter->wakeup.notify();
}

std::unique_ptr<RetryStrategy> make_strategy(const RetryPolicy& policy) {
    if (policy.strategy == RetryPolicy::Strategy::exponential) return std::make_unique<NoHold>();
    return std::make_unique<Breaker>(policy.threshold, policy.backoff);
}

}  // namespace fanfare
