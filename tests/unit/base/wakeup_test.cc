#include "base/wakeup.h"

#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>

#include "base/task_group.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::ManualClock;
using test::Running;

TEST(Wakeup, ends_a_wait) {
    net::io_context context(1);
    Wakeup wakeup(context.get_executor());
    Running<void> waiting(context, wakeup.wait());
    ManualClock::poll(context);
    EXPECT_FALSE(waiting.is_done());

    wakeup.notify();
    ManualClock::poll(context);

    EXPECT_TRUE(waiting.is_done());
}

TEST(Wakeup, remembers_a_notification_that_comes_first) {
    net::io_context context(1);
    Wakeup wakeup(context.get_executor());
    wakeup.notify();
    wakeup.notify();

    Running<void> first(context, wakeup.wait());
    ManualClock::poll(context);
    Running<void> second(context, wakeup.wait());
    ManualClock::poll(context);

    EXPECT_TRUE(first.is_done());
    EXPECT_FALSE(second.is_done()) << "one notification is enough for one wait";
    wakeup.notify();
    ManualClock::poll(context);
}

TEST(WaitUntil, ends_at_its_time_or_when_woken) {
    net::io_context context(1);
    ManualClock clock;
    Wakeup wakeup(context.get_executor());
    Running<void> timed(context, wait_until(clock, clock.now() + 1s));
    Running<void> woken(context, wait_until(clock, clock.now() + 1h, wakeup));
    ManualClock::poll(context);

    wakeup.notify();
    clock.advance(999ms, context);
    EXPECT_TRUE(woken.is_done());
    EXPECT_FALSE(timed.is_done());
    clock.advance(1ms, context);

    EXPECT_TRUE(timed.is_done());
    EXPECT_EQ(clock.alarm_count(), 0U);
}

awaitable<void> wait_and_note(Clock& clock, std::string& notes) {
    try {
        co_await wait_until(clock, clock.now() + 1h);
        notes += "waited ";
    } catch (const boost::system::system_error&) {
        notes += "cancelled ";
        throw;
    }
}

TEST(TaskGroup, cancels_what_waits_and_joins_it) {
    net::io_context context(1);
    ManualClock clock;
    std::string notes;
    TaskGroup tasks(context.get_executor(), [](const std::exception_ptr&) { FAIL(); });
    tasks.spawn(wait_and_note(clock, notes));
    tasks.spawn(wait_and_note(clock, notes));
    Running<void> joining(context, tasks.join());
    ManualClock::poll(context);
    EXPECT_FALSE(joining.is_done());

    tasks.cancel();
    ManualClock::poll(context);

    EXPECT_TRUE(joining.is_done());
    EXPECT_EQ(notes, "cancelled cancelled ");
    EXPECT_EQ(tasks.size(), 0U);
}

awaitable<void> fail_on_purpose() {
    throw std::runtime_error("on purpose");
    co_return;
}

TEST(TaskGroup, tells_what_a_task_threw) {
    net::io_context context(1);
    int failures = 0;
    TaskGroup tasks(context.get_executor(), [&](const std::exception_ptr&) { ++failures; });

    tasks.spawn(fail_on_purpose());
    ManualClock::poll(context);

    EXPECT_EQ(failures, 1);
    EXPECT_EQ(tasks.size(), 0U);
}

}  // namespace
}  // namespace fanfare
