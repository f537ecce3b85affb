#include "base/deadlines.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/manual_clock.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;

class DeadlinesTest : public testing::Test {
  protected:
    void advance(Duration step) { clock_.advance(step, context_); }

    net::io_context context_{1};
    test::ManualClock clock_;
    Deadlines deadlines_{clock_, context_.get_executor()};
};

TEST_F(DeadlinesTest, expires_when_the_time_has_passed_and_only_once) {
    int expired = 0;
    Timeout timeout([&] { ++expired; });
    deadlines_.of(1s).arm(timeout);

    advance(999ms);
    EXPECT_EQ(expired, 0);
    advance(1ms);
    advance(1h);

    EXPECT_EQ(expired, 1);
}

TEST_F(DeadlinesTest, does_not_expire_once_disarmed_or_destroyed) {
    int expired = 0;
    Timeout disarmed([&] { ++expired; });
    deadlines_.of(1s).arm(disarmed);
    {
        Timeout destroyed([&] { ++expired; });
        deadlines_.of(1s).arm(destroyed);
    }

    disarmed.disarm();
    advance(1h);

    EXPECT_EQ(expired, 0);
}

TEST_F(DeadlinesTest, starts_anew_when_armed_again) {
    int expired = 0;
    Timeout timeout([&] { ++expired; });
    deadlines_.of(1s).arm(timeout);
    advance(900ms);

    deadlines_.of(1s).arm(timeout);
    advance(900ms);
    EXPECT_EQ(expired, 0);
    advance(100ms);

    EXPECT_EQ(expired, 1);
}

TEST_F(DeadlinesTest, lets_a_short_timeout_overtake_a_long_one) {
    std::string order;
    Timeout slow([&] { order += "slow "; });
    Timeout fast([&] { order += "fast "; });
    deadlines_.of(10s).arm(slow);
    deadlines_.of(1s).arm(fast);

    advance(1s);
    EXPECT_EQ(order, "fast ");
    advance(9s);

    EXPECT_EQ(order, "fast slow ");
}

TEST_F(DeadlinesTest, may_be_armed_from_a_callback) {
    int expired = 0;
    Timeout* self = nullptr;
    Timeout timeout([&] {
        if (++expired < 3) deadlines_.of(1s).arm(*self);
    });
    self = &timeout;
    deadlines_.of(1s).arm(timeout);

    advance(10s);

    EXPECT_EQ(expired, 3);
}

TEST_F(DeadlinesTest, go_on_after_a_callback_that_throws) {
    int expired = 0;
    Timeout throwing([] { throw std::runtime_error("on purpose"); });
    Timeout next([&] { ++expired; });
    Timeout later([&] { ++expired; });
    deadlines_.of(1s).arm(throwing);
    deadlines_.of(1s).arm(next);
    deadlines_.of(2s).arm(later);

    EXPECT_THROW(advance(1s), std::runtime_error);
    advance(0s);
    EXPECT_EQ(expired, 1);

    advance(1s);
    EXPECT_EQ(expired, 2);
}

// The point of it all: a request that ends in time costs no timer operation.
TEST_F(DeadlinesTest, keep_one_alarm_however_many_timeouts_come_and_go) {
    Timeout timeout([] {});
    for (int i = 0; i < 1000; ++i) {
        deadlines_.of(1s).arm(timeout);
        timeout.disarm();
        EXPECT_LE(clock_.alarm_count(), 1U);
    }

    advance(1s);

    EXPECT_EQ(clock_.alarm_count(), 0U) << "an idle shard is not woken again";
}

TEST_F(DeadlinesTest, clear_the_alarm_when_told_that_all_is_done) {
    Timeout done([] {});
    Timeout under_way([] {});
    deadlines_.of(1s).arm(done);
    deadlines_.of(2s).arm(under_way);
    done.disarm();

    deadlines_.clear_if_idle();
    EXPECT_EQ(clock_.alarm_count(), 1U) << "a timeout is armed";
    under_way.disarm();
    deadlines_.clear_if_idle();
    EXPECT_EQ(clock_.alarm_count(), 0U);

    deadlines_.of(1s).arm(done);
    EXPECT_EQ(clock_.alarm_count(), 1U);
}

}  // namespace
}  // namespace fanfare
