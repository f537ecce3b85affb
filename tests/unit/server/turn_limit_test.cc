#include "server/turn_limit.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include "base/task_group.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Pipeline;

/// Never answers.
class HangingSink final : public Sink {
  public:
    explicit HangingSink(Clock& clock) : clock_(clock) {}
    awaitable<Outcome> deliver(Attempt /*attempt*/) override {
        co_await wait_until(clock_, TimePoint::max());
        co_return Outcome::aborted();
    }

  private:
    Clock& clock_;
};

class TurnLimitTest : public testing::Test {
  protected:
    void make_backlog() {
        EndpointOptions options;
        options.make_sink = [this](const SinkContext&) {
            return std::make_unique<HangingSink>(pipeline_.clock);
        };
        pipeline_.broadcaster.add(std::make_shared<Endpoint>(pipeline_.shard, std::move(options)));
        pipeline_.write_many(2);
        pipeline_.poll();
        ASSERT_TRUE(pipeline_.shard.has_backlog());
    }

    awaitable<void> serve(std::string name) {
        if (!turns_.try_take()) co_await turns_.wait();
        served_.push_back(std::move(name));
    }

    void serve_all(const std::vector<std::string>& names) {
        for (const std::string& name : names) tasks_.spawn(serve(name));
    }

    Pipeline pipeline_;
    TurnLimit turns_{pipeline_.shard};
    std::vector<std::string> served_;
    TaskGroup tasks_{pipeline_.context.get_executor(), [](const std::exception_ptr&) {}};
};

TEST_F(TurnLimitTest, limits_nothing_as_long_as_deliveries_keep_up) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(turns_.try_take());
    EXPECT_EQ(pipeline_.context.poll(), 0U);
}

TEST_F(TurnLimitTest, lets_the_loop_look_at_its_sockets_between_few_requests) {
    make_backlog();
    serve_all({"a", "b", "c", "d", "e", "f", "g", "h", "i"});
    // What becomes ready while the first of them are served.
    net::post(pipeline_.context, [this] {
        net::post(pipeline_.context, [this] { served_.emplace_back("delivery"); });
    });

    pipeline_.poll();

    const std::vector<std::string> all = {"a", "b", "c", "d", "delivery", "e", "f", "g", "h", "i"};
    EXPECT_EQ(served_, all);
}

TEST_F(TurnLimitTest, forgets_who_is_cancelled_while_it_waits) {
    make_backlog();
    serve_all(std::vector<std::string>(40, "cancelled"));
    while (served_.empty()) pipeline_.context.poll_one();

    // Takes its way through the loop, so a turn or two still begin.
    tasks_.cancel();
    pipeline_.poll();
    EXPECT_LT(served_.size(), 20U);
    EXPECT_EQ(tasks_.size(), 0U);

    serve_all({"next"});
    pipeline_.poll();
    EXPECT_EQ(served_.back(), "next");
}

}  // namespace
}  // namespace fanfare
