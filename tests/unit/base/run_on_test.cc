#include "base/run_on.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "base/task_group.h"

namespace fanfare {
namespace {

awaitable<int> forty_two() { co_return 42; }

awaitable<int> fail() {
    throw std::runtime_error("on purpose");
    co_return 0;
}

/// Two loops, which the test turns in the order it wants.
class RunOnTest : public testing::Test {
  protected:
    static std::size_t poll(net::io_context& context) {
        context.restart();
        return context.poll();
    }

    static std::size_t poll_one(net::io_context& context) {
        context.restart();
        return context.poll_one();
    }

    awaitable<void> ask(awaitable<int> (*task)()) {
        try {
            answer_ = co_await run_on<int>(there_.get_executor(), task());
        } catch (const std::runtime_error& error) {
            error_ = error.what();
        }
    }

    void begin(awaitable<int> (*task)()) {
        tasks_.spawn(ask(task));
        poll(here_);
    }

    /// Turns both loops, step by step, until what has begun is over.
    void finish() {
        for (int turn = 0; turn < 100 && tasks_.size() > 0; ++turn) {
            poll_one(there_);
            poll(here_);
        }
        ASSERT_EQ(tasks_.size(), 0U);
    }

    net::io_context here_{1};
    net::io_context there_{1};
    int answer_ = 0;
    std::string error_;
    TaskGroup tasks_{here_.get_executor(), [](const std::exception_ptr&) {}};
};

TEST_F(RunOnTest, brings_back_a_result) {
    begin(forty_two);
    EXPECT_EQ(answer_, 0);

    finish();

    EXPECT_EQ(answer_, 42);
}

TEST_F(RunOnTest, brings_back_an_exception) {
    begin(fail);

    finish();

    EXPECT_EQ(error_, "on purpose");
}

TEST_F(RunOnTest, leaves_nothing_with_the_other_loop_when_cancelled) {
    begin(forty_two);
    poll_one(there_);  // The task has run, its result is on the way.

    tasks_.cancel();
    finish();

    EXPECT_EQ(poll(there_), 0U) << "a handler is left that points to what is gone";
}

}  // namespace
}  // namespace fanfare
