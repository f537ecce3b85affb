#include "fanfare/retry_policy.h"

#include <gtest/gtest.h>

#include <set>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using Action = Decision::Action;
using Strategy = RetryPolicy::Strategy;

RetryPolicy policy_of(Strategy strategy) {
    RetryPolicy policy;
    policy.strategy = strategy;
    return policy;
}

Action action_of(int status, const RetryPolicy& policy, const Progress& progress = {}) {
    return decide(Outcome::refused(status), progress, policy).action();
}

constexpr int statuses[] = {101, 299, 300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405,
                            406, 408, 409, 410, 411, 413, 415, 421, 422, 425, 426, 428, 429, 431,
                            451, 499, 500, 501, 502, 503, 504, 505, 507, 511, 599, 600, 999};

TEST(Decide, under_breaker_tries_again_whatever_the_status) {
    for (const int status : statuses) {
        EXPECT_EQ(action_of(status, policy_of(Strategy::breaker)), Action::retry) << status;
    }
}

TEST(Decide, under_exponential_tries_again_only_what_may_pass) {
    const std::set<int> temporary = {101, 299, 408, 409, 425, 429, 500,
                                     502, 503, 504, 507, 511, 599};
    for (const int status : statuses) {
        const Decision decision =
            decide(Outcome::refused(status), {}, policy_of(Strategy::exponential));

        const bool is_temporary = temporary.count(status) == 1;
        EXPECT_EQ(decision.action(), is_temporary ? Action::retry : Action::give_up) << status;
        EXPECT_EQ(decision.reason(), DeadReason::permanent);
    }
}

TEST(Decide, tries_again_after_every_error_under_both_strategies) {
    for (const Reason reason : {Reason::dns, Reason::connect, Reason::tls, Reason::timeout,
                                Reason::reset, Reason::protocol, Reason::blocked}) {
        for (const Strategy strategy : {Strategy::breaker, Strategy::exponential}) {
            const Decision decision = decide(Outcome::retry(reason), {}, policy_of(strategy));
            EXPECT_EQ(decision.action(), Action::retry) << to_string(reason);
        }
    }
}

TEST(Decide, follows_the_lists_of_codes_under_both_strategies) {
    for (const Strategy strategy : {Strategy::breaker, Strategy::exponential}) {
        RetryPolicy policy = policy_of(strategy);
        policy.permanent = {{422, 422}, {500, 503}};
        policy.retryable = {{404, 404}};

        EXPECT_EQ(action_of(422, policy), Action::give_up);
        EXPECT_EQ(action_of(502, policy), Action::give_up);
        EXPECT_EQ(action_of(504, policy), Action::retry);
        EXPECT_EQ(action_of(404, policy), Action::retry);
    }
}

TEST(Decide, gives_up_after_the_last_attempt_that_counts) {
    RetryPolicy policy;
    policy.attempts_max = 3;

    Progress progress;
    progress.failures = 1;
    EXPECT_EQ(action_of(500, policy, progress), Action::retry);
    progress.failures = 2;
    const Decision decision = decide(Outcome::retry(Reason::timeout), progress, policy);

    EXPECT_EQ(decision.action(), Action::give_up);
    EXPECT_EQ(decision.reason(), DeadReason::max_attempts);
}

TEST(Decide, pauses_for_retry_after_on_429_and_503_only) {
    for (const Strategy strategy : {Strategy::breaker, Strategy::exponential}) {
        const RetryPolicy policy = policy_of(strategy);
        for (const int status : {429, 503}) {
            const Decision decision = decide(Outcome::refused(status, 7s), {}, policy);
            EXPECT_EQ(decision.action(), Action::pause) << status;
            EXPECT_EQ(decision.wait(), 7s);
        }
        EXPECT_EQ(decide(Outcome::refused(500, 7s), {}, policy).action(), Action::retry);
    }
}

TEST(Decide, pauses_for_retry_after_also_where_the_code_is_listed_as_retryable) {
    RetryPolicy policy = policy_of(Strategy::exponential);
    policy.retryable = {{404, 404}, {429, 429}, {503, 503}};
    for (const int status : {429, 503}) {
        EXPECT_EQ(decide(Outcome::refused(status, 5s), {}, policy).action(), Action::pause);
        EXPECT_EQ(action_of(status, policy), Action::retry);
    }
    policy.retryable = {};
    policy.permanent = {{429, 429}};
    EXPECT_EQ(decide(Outcome::refused(429, 5s), {}, policy).action(), Action::give_up);
}

TEST(Decide, blames_the_receiver_for_what_it_did_only) {
    const RetryPolicy policy = policy_of(Strategy::exponential);
    EXPECT_TRUE(decide(Outcome::retry(Reason::timeout), {}, policy).is_failure());
    EXPECT_TRUE(Decision::give_up(DeadReason::max_attempts).is_failure());
    EXPECT_FALSE(decide(Outcome::refused(404), {}, policy).is_failure());
    EXPECT_FALSE(decide(Outcome::refused(429, 5s), {}, policy).is_failure());
    EXPECT_FALSE(decide(Outcome::reject(Reason::exception), {}, policy).is_failure());
}

TEST(Decide, caps_a_pause_and_takes_none_of_zero) {
    RetryPolicy policy;
    policy.retry_after_max = 10s;
    EXPECT_EQ(decide(Outcome::refused(503, 1h), {}, policy).wait(), 10s);
    EXPECT_EQ(decide(Outcome::refused(503, 0s), {}, policy).action(), Action::retry);

    policy.retry_after_max = 0s;
    EXPECT_EQ(decide(Outcome::refused(503, 1h), {}, policy).action(), Action::retry);
}

TEST(Decide, a_pause_does_not_use_up_attempts) {
    RetryPolicy policy;
    policy.attempts_max = 1;

    EXPECT_EQ(decide(Outcome::refused(429, 1s), {}, policy).action(), Action::pause);
}

TEST(Decide, disables_on_410_only_if_told_to) {
    RetryPolicy policy = policy_of(Strategy::exponential);
    policy.permanent = {{410, 410}};
    EXPECT_EQ(action_of(410, policy), Action::give_up);

    policy.gone_disables = true;

    EXPECT_EQ(action_of(410, policy), Action::disable);
    EXPECT_EQ(action_of(404, policy), Action::give_up);
}

TEST(Decide, halves_a_batch_that_holds_something_bad_and_gives_a_single_one_up) {
    for (const Strategy strategy : {Strategy::breaker, Strategy::exponential}) {
        const RetryPolicy policy = policy_of(strategy);
        Progress batch;
        batch.is_batching = true;
        batch.events = 2;
        Progress single = batch;
        single.events = 1;
        for (const int status : {400, 413, 422}) {
            EXPECT_EQ(action_of(status, policy, batch), Action::split) << status;
            EXPECT_EQ(action_of(status, policy, single), Action::give_up) << status;
        }
        EXPECT_EQ(action_of(500, policy, batch), Action::retry);
    }
}

TEST(Decide, does_not_halve_for_a_code_that_is_to_be_retried) {
    RetryPolicy policy;
    policy.retryable = {{413, 413}};
    Progress batch;
    batch.is_batching = true;
    batch.events = 2;

    EXPECT_EQ(action_of(413, policy, batch), Action::retry);
}

TEST(Decide, looks_for_the_event_at_which_a_sink_throws) {
    const Outcome thrown = Outcome::retry(Reason::exception);
    Progress progress;
    EXPECT_EQ(decide(thrown, progress, {}).action(), Action::retry) << "it may pass";

    progress.is_batching = true;
    progress.events = 5;
    EXPECT_EQ(decide(thrown, progress, {}).action(), Action::split);

    progress.events = 1;
    progress.is_part = true;
    EXPECT_EQ(decide(thrown, progress, {}).reason(), DeadReason::exception);
    EXPECT_EQ(decide(thrown, progress, {}).action(), Action::give_up);
}

TEST(Decide, does_what_the_sink_says_of_the_rest) {
    EXPECT_EQ(decide(Outcome::delivered(), {}, {}).action(), Action::deliver);
    EXPECT_EQ(decide(Outcome::aborted(), {}, {}).action(), Action::give_back);
    EXPECT_EQ(decide(Outcome::closed(), {}, {}).action(), Action::close);
    const Decision rejected = decide(Outcome::reject(Reason::exception), {}, {});
    EXPECT_EQ(rejected.action(), Action::give_up);
    EXPECT_EQ(rejected.reason(), DeadReason::exception);
}

TEST(RetryDelay, of_a_breaker_is_none_until_one_event_has_failed_that_often) {
    RetryPolicy policy;
    policy.threshold = 3;
    policy.backoff = 5s;

    EXPECT_EQ(retry_delay(policy, 2, 0.5), 0s);
    EXPECT_EQ(retry_delay(policy, 3, 0.5), 5s);
    EXPECT_EQ(retry_delay(policy, 1000, 0.5), 5s);
}

TEST(RetryDelay, grows_by_the_factor_up_to_the_longest) {
    RetryPolicy policy = policy_of(Strategy::exponential);
    policy.jitter = RetryPolicy::Jitter::none;
    policy.initial = 500ms;
    policy.factor = 3;
    policy.max = 10s;

    EXPECT_EQ(retry_delay(policy, 1, 0), 500ms);
    EXPECT_EQ(retry_delay(policy, 2, 0), 1500ms);
    EXPECT_EQ(retry_delay(policy, 3, 0), 4500ms);
    EXPECT_EQ(retry_delay(policy, 4, 0), 10s);
    EXPECT_EQ(retry_delay(policy, UINT_MAX, 0), 10s);
}

TEST(RetryDelay, is_drawn_from_as_much_as_the_jitter_says) {
    RetryPolicy policy = policy_of(Strategy::exponential);
    policy.initial = 8s;

    EXPECT_EQ(retry_delay(policy, 1, 0), 0s);
    EXPECT_EQ(retry_delay(policy, 1, 0.5), 4s);
    policy.jitter = RetryPolicy::Jitter::equal;
    EXPECT_EQ(retry_delay(policy, 1, 0), 4s);
    EXPECT_EQ(retry_delay(policy, 1, 0.5), 6s);
}

TEST(RetryDelay, follows_a_schedule_whose_last_wait_repeats) {
    RetryPolicy policy = policy_of(Strategy::exponential);
    policy.schedule = {5s, 5min, 30min};

    EXPECT_EQ(retry_delay(policy, 1, 0.3), 5s) << "without jitter unless asked for";
    EXPECT_EQ(retry_delay(policy, 3, 0.3), 30min);
    EXPECT_EQ(retry_delay(policy, 99, 0.3), 30min);
}

}  // namespace
}  // namespace fanfare
