#include "fanfare/retry_policy.h"

#include <algorithm>

#include "fanfare/retry.h"

namespace fanfare {
namespace {

using Action = Decision::Action;

bool has(const std::vector<StatusRange>& ranges, int status) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const StatusRange& range) {
        return range.first <= status && status <= range.last;
    });
}

/// The answers that may be about one event of several (SPEC 5).
bool is_about_content(int status) { return status == 400 || status == 413 || status == 422; }

/// What says that it will not always be so (SPEC 7).
bool is_temporary(int status) {
    if (status >= 500) return status < 600 && status != 501 && status != 505;
    return status < 300 || status == 408 || status == 409 || status == 425 || status == 429;
}

bool may_pause(int status) { return status == 429 || status == 503; }

DeadReason dead_reason(Reason reason) {
    switch (reason) {
        case Reason::max_attempts:
            return DeadReason::max_attempts;
        case Reason::max_age:
            return DeadReason::max_age;
        case Reason::exception:
            return DeadReason::exception;
        case Reason::none:
        case Reason::dns:
        case Reason::connect:
        case Reason::tls:
        case Reason::timeout:
        case Reason::reset:
        case Reason::protocol:
        case Reason::blocked:
        case Reason::status:
        case Reason::permanent:
        case Reason::closed:
            return DeadReason::permanent;
    }
    return DeadReason::permanent;
}

Decision retry(const Progress& progress, const RetryPolicy& policy) {
    const bool is_last = policy.attempts_max != 0 && progress.failures + 1 >= policy.attempts_max;
    if (is_last) return Decision::give_up(DeadReason::max_attempts);
    return Action::retry;
}

Decision decide_status(const Outcome& outcome, const Progress& progress,
                       const RetryPolicy& policy) {
    const int status = outcome.http_status();
    if (status == 410 && policy.gone_disables) return Action::disable;
    const Duration asked = std::min(outcome.retry_after(), policy.retry_after_max);
    const bool is_pause = may_pause(status) && asked > Duration::zero();
    if (is_pause && !has(policy.permanent, status)) return Decision::pause(asked);
    if (has(policy.retryable, status)) return retry(progress, policy);
    if (is_about_content(status) && progress.is_batching) {
        if (progress.events > 1) return Action::split;
        return Decision::give_up(DeadReason::permanent);
    }
    if (has(policy.permanent, status)) return Decision::give_up(DeadReason::permanent);
    const bool is_breaker = policy.strategy == RetryPolicy::Strategy::breaker;
    if (is_breaker || is_temporary(status)) return retry(progress, policy);
    return Decision::give_up(DeadReason::permanent);
}

/// A sink that throws at a batch may throw at one event only; one that throws at one event may do
/// better next time, unless that event is what was searched for.
Decision decide_exception(const Progress& progress, const RetryPolicy& policy) {
    if (progress.events > 1) return Action::split;
    if (progress.is_part) return Decision::give_up(DeadReason::exception);
    return retry(progress, policy);
}

Decision decide_rejected(const Outcome& outcome, const Progress& progress) {
    const bool is_exception = outcome.reason() == Reason::exception;
    if (is_exception && progress.events > 1) return Action::split;
    return Decision::give_up(dead_reason(outcome.reason()));
}

Duration scheduled(const RetryPolicy& policy, unsigned failures) {
    const std::size_t last = policy.schedule.size() - 1;
    return policy.schedule[std::min<std::size_t>(failures - 1, last)];
}

Duration grown(const RetryPolicy& policy, unsigned failures) {
    // In floating point, where it saturates instead of overflowing.
    const double max = static_cast<double>(policy.max.count());
    double wait = static_cast<double>(policy.initial.count());
    for (unsigned i = 1; i < failures && wait < max && policy.factor > 1; ++i) {
        wait *= policy.factor;
    }
    return wait < max ? Duration(static_cast<Duration::rep>(wait)) : policy.max;
}

}  // namespace

Decision Decision::pause(Duration wait) noexcept {
    Decision decision(Action::pause);
    decision.wait_ = wait;
    return decision;
}

Decision Decision::give_up(DeadReason reason) noexcept {
    Decision decision(Action::give_up);
    decision.reason_ = reason;
    return decision;
}

bool Decision::is_failure() const noexcept {
    if (action_ == Action::give_up) return reason_ == DeadReason::max_attempts;
    return action_ == Action::retry;
}

Decision decide(const Outcome& outcome, const Progress& progress, const RetryPolicy& policy) {
    switch (outcome.verdict()) {
        case Verdict::delivered:
            return Action::deliver;
        case Verdict::aborted:
            return Action::give_back;
        case Verdict::closed:
            return Action::close;
        case Verdict::reject:
            return decide_rejected(outcome, progress);
        case Verdict::retry:
            break;
    }
    if (outcome.reason() == Reason::status) return decide_status(outcome, progress, policy);
    if (outcome.reason() == Reason::exception) return decide_exception(progress, policy);
    return retry(progress, policy);
}

bool is_too_old(Batch batch, const RetryPolicy& policy, TimePoint now) noexcept {
    return policy.age_max > Duration::zero() && now - batch.back()->accepted() >= policy.age_max;
}

Duration retry_delay(const RetryPolicy& policy, unsigned failures, double random) noexcept {
    if (failures == 0) return Duration::zero();
    if (policy.strategy == RetryPolicy::Strategy::breaker) {
        const std::int64_t threshold =
            policy.threshold > 0 ? policy.threshold : RetryPolicy{}.threshold;
        if (static_cast<std::int64_t>(failures) < threshold) return Duration::zero();
        return policy.backoff > Duration::zero() ? policy.backoff : RetryPolicy{}.backoff;
    }
    const bool is_scheduled = !policy.schedule.empty();
    const Duration wait = is_scheduled ? scheduled(policy, failures) : grown(policy, failures);
    const auto part = [&](double share) {
        return Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * share));
    };
    switch (policy.jitter_or_default()) {
        case RetryPolicy::Jitter::full:
            return part(random);
        case RetryPolicy::Jitter::equal:
            return part(0.5 + random / 2);
        case RetryPolicy::Jitter::none:
            break;
    }
    return wait;
}

Duration retry_delay_max(const RetryPolicy& policy) noexcept {
    if (policy.strategy == RetryPolicy::Strategy::breaker) {
        return policy.backoff > Duration::zero() ? policy.backoff : RetryPolicy{}.backoff;
    }
    if (policy.schedule.empty()) return std::max(policy.initial, policy.max);
    return *std::max_element(policy.schedule.begin(), policy.schedule.end());
}

}  // namespace fanfare
