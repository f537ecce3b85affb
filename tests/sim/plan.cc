#include "sim/plan.h"

#include <utility>

#include "sim/story.h"

namespace fanfare::sim {
namespace {

using namespace std::chrono_literals;
using Strategy = RetryPolicy::Strategy;
using Jitter = RetryPolicy::Jitter;

void draw_exponential(RetryPolicy& retry, Random& random) {
    if (random.one_in(3)) {
        const std::uint64_t waits = random.between(1, 4);
        for (std::uint64_t i = 0; i < waits; ++i) {
            retry.schedule.push_back(random.between(Duration(1ms), Duration(1min)));
        }
    } else {
        retry.initial = random.between(Duration(1ms), Duration(5s));
        retry.factor = random.pick<double>({1, 1.5, 2, 10});
        retry.max = random.between(retry.initial, Duration(15min));
    }
    if (random.percent(60)) {
        retry.jitter = random.pick<Jitter>({Jitter::full, Jitter::equal, Jitter::none});
    }
}

RetryPolicy draw_retry(Random& random) {
    RetryPolicy retry;
    if (random.percent(50)) {
        retry.strategy = Strategy::exponential;
        draw_exponential(retry, random);
    } else {
        retry.threshold = static_cast<std::int64_t>(random.between(1, 12));
        retry.backoff = random.between(Duration(1ms), Duration(1min));
    }
    if (random.one_in(3)) retry.attempts_max = static_cast<unsigned>(random.between(1, 8));
    if (random.one_in(3)) retry.age_max = random.between(Duration(10ms), Duration(2h));
    if (random.one_in(3)) retry.permanent = {{400, 400}, {413, 413}, {422, 422}};
    if (random.one_in(5)) retry.retryable = {{404, 404}};
    retry.gone_disables = random.percent(50);
    if (random.one_in(3)) retry.retry_after_max = random.between(Duration(1s), Duration(1h));
    return retry;
}

LeaseLimits draw_batch(Random& random) {
    LeaseLimits batch;
    batch.events_max = random.pick<std::size_t>({2, 3, 10, 100});
    if (random.one_in(3)) batch.bytes_max = random.between(100, 2000);
    if (random.percent(50)) batch.linger = random.between(Duration(1ms), Duration(10s));
    return batch;
}

void draw_order(Plan& plan, Random& random) {
    plan.batch = LeaseLimits();
    plan.max_in_flight = 1;
    plan.is_ordered_by_key = false;
    switch (random.below(4)) {
        case 0:
            break;
        case 1:
            plan.batch = draw_batch(random);
            break;
        case 2:
            plan.max_in_flight = static_cast<unsigned>(random.between(2, 8));
            break;
        default:
            plan.max_in_flight = static_cast<unsigned>(random.between(2, 8));
            plan.is_ordered_by_key = true;
    }
}

void draw_sink(Plan& plan, const PlanLimits& limits, Random& random) {
    plan.receiver = static_cast<unsigned>(random.below(limits.receivers));
    plan.is_http = random.percent(limits.http_percent);
    plan.timeout = random.between(Duration(50ms), Duration(5s));
}

/// A box makes it known which events are given up, where that is not the outcome of an attempt.
void mend(Plan& plan) {
    if (!plan.has_letters) {
        plan.retry.age_max = {};
        plan.retry.gone_disables = false;
    }
    const bool is_single = plan.batch.events_max == 1;
    if (!is_single) plan.format = BodyFormat::envelope;
    // What a sink throws at a part of a batch ends it; a change of order makes that hard to
    // foresee.
    if (!is_single) plan.may_throw = false;
}

}  // namespace

Order Plan::order() const noexcept {
    if (max_in_flight == 1) return Order::strict;
    return is_ordered_by_key ? Order::keyed : Order::free;
}

Plan make_plan(std::string name, const PlanLimits& limits, Random& random) {
    Plan plan;
    plan.name = std::move(name);
    plan.has_letters = random.percent(85);
    plan.has_queue_of_own = !limits.is_durable && random.one_in(8);
    plan.is_durable = limits.is_durable;
    if (limits.is_durable && random.one_in(4)) plan.window_events = random.between(2, 20);
    plan.random_seed = static_cast<std::uint32_t>(random.between(1, 1U << 30));
    plan.may_throw = random.one_in(4);
    plan.retry = draw_retry(random);
    if (random.percent(50)) plan.format = BodyFormat::event;
    if (random.one_in(3)) plan.unwanted = "pull";
    draw_order(plan, random);
    draw_sink(plan, limits, random);
    mend(plan);
    return plan;
}

Plan change_plan(const Plan& plan, const PlanLimits& limits, Random& random) {
    Plan changed = plan;
    if (random.percent(40)) changed.retry = draw_retry(random);
    if (random.percent(40) && !plan.has_queue_of_own) draw_order(changed, random);
    if (random.percent(40)) draw_sink(changed, limits, random);
    if (random.percent(20)) changed.unwanted = random.pick<std::string>({"", "pull", "push"});
    if (plan.max_in_flight > 1 && changed.max_in_flight > 1 && random.percent(30)) {
        changed.max_in_flight = static_cast<unsigned>(random.between(2, 8));
    }
    mend(changed);
    return changed;
}

std::string describe(const Plan& plan) {
    std::string text = joined(plan.name, ": receiver ", plan.receiver);
    if (plan.is_http) append(text, ", http");
    append(text, joined(", timeout ", plan.timeout, ", in flight ", plan.max_in_flight));
    if (plan.is_ordered_by_key) append(text, " by key");
    if (plan.batch.events_max > 1) {
        append(text, joined(", batch ", std::uint64_t{plan.batch.events_max}, " events ",
                            std::uint64_t{plan.batch.bytes_max}, " bytes ", plan.batch.linger));
    }
    const RetryPolicy& retry = plan.retry;
    if (retry.strategy == Strategy::breaker) {
        append(text, joined(", breaker ", static_cast<std::uint64_t>(retry.threshold), " of ",
                            retry.backoff));
    } else if (retry.schedule.empty()) {
        append(text, joined(", exponential from ", retry.initial, " to ", retry.max));
    } else {
        append(text, ", schedule");
        for (const Duration wait : retry.schedule) append(text, joined(" ", wait));
    }
    if (retry.attempts_max > 0) append(text, joined(", attempts ", retry.attempts_max));
    if (retry.age_max > Duration::zero()) append(text, joined(", age ", retry.age_max));
    if (retry.gone_disables) append(text, ", gone disables");
    if (!plan.unwanted.empty()) append(text, joined(", not ", plan.unwanted));
    if (!plan.has_letters) append(text, ", no letters");
    if (plan.has_queue_of_own) append(text, ", queue of its own");
    return text;
}

}  // namespace fanfare::sim
