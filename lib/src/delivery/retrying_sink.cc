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

Reason reason_of(DeadReason reason) {
    switch (reason) {
        case DeadReason::max_attempts:
            return Reason::max_attempts;
        case DeadReason::max_age:
            return Reason::max_age;
        case DeadReason::exception:
            return Reason::exception;
        case DeadReason::permanent:
        case DeadReason::gone:
        case DeadReason::overflow:
        case DeadReason::corrupt:
            return Reason::permanent;
    }
    return Reason::permanent;
}

}  // namespace

awaitable<Outcome> deliver_once(Sink& sink, Attempt attempt) {
    Outcome outcome = Outcome::aborted();
    try {
        outcome = co_await sink.deliver(attempt);
    } catch (...) {
        outcome = outcome_of(std::current_exception());
    }
    if (outcome.verdict() == Verdict::aborted) {
        // A sink that gives up by itself, its own timeout say, has failed like any other. Were it
        // taken for an abort, its batch would come back at once and for ever.
        const net::cancellation_state state = co_await net::this_coro::cancellation_state;
        const bool is_cancelled = state.cancelled() != net::cancellation_type::none;
        if (!is_cancelled) outcome = Outcome::retry(Reason::exception);
    }
    co_return outcome;
}

RetryingSink::RetryingSink(std::unique_ptr<Sink> next, RetryPolicy policy, const Context& context)
    : next_(std::move(next)),
      policy_(std::move(policy)),
      context_(context),
      random_(std::random_device{}()) {}

awaitable<Outcome> RetryingSink::deliver(Attempt attempt) {
    unsigned failures = 0;
    for (;; ++attempt.number) {
        RetryGate::Pass pass = co_await context_.gate.pass();
        const TimePoint started = context_.clock.now();
        if (is_too_old(attempt.batch, policy_, started)) {
            co_return Outcome::reject(Reason::max_age);
        }
        context_.observer.attempting(attempt);
        const Outcome outcome = co_await deliver_once(*next_, attempt);
        const TimePoint ended = context_.clock.now();
        context_.observer.attempted(attempt, outcome, started, ended);

        Progress progress;
        progress.failures = failures;
        const Decision decision = decide(outcome, progress, policy_);
        context_.gate.record(std::move(pass), outcome, decision, ended);
        switch (decision.action()) {
            case Decision::Action::pause:
                break;
            case Decision::Action::retry:
                co_await wait_until(context_.clock, ended + delay(++failures));
                break;
            case Decision::Action::give_up:
                co_return Outcome::reject(reason_of(decision.reason()), outcome.http_status(),
                                          outcome.error());
            case Decision::Action::split:
            case Decision::Action::disable:
                co_return Outcome::reject(Reason::permanent, outcome.http_status());
            case Decision::Action::deliver:
            case Decision::Action::give_back:
            case Decision::Action::close:
                co_return outcome;
        }
    }
}

Duration RetryingSink::delay(unsigned failures) {
    std::uniform_real_distribution<double> draw;
    return retry_delay(policy_, failures, draw(random_));
}

}  // namespace fanfare
