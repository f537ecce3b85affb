// An endpoint whose queue, which may be somebody else's, throws.
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/hanging.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::make_event;

/// Throws when it is told to.
class FailingQueue final : public Queue {
  public:
    explicit FailingQueue(bool& fails) : fails_(fails) {}

    void push(EventPtr event) override {
        fail();
        queue_.push(std::move(event));
    }
    TimePoint ready_at(const LeaseLimits& limits) const noexcept override {
        return queue_.ready_at(limits);
    }
    Lease lease(const LeaseLimits& limits, TimePoint now) override {
        fail();
        return queue_.lease(limits, now);
    }
    TimePoint oldest_waiting() const noexcept override { return queue_.oldest_waiting(); }
    Lease lease_accepted_by(TimePoint time) override { return queue_.lease_accepted_by(time); }
    void settle(Lease lease, Settle how) override { queue_.settle(std::move(lease), how); }
    std::vector<EventPtr> clear() override { return queue_.clear(); }
    std::size_t pending_events() const noexcept override { return queue_.pending_events(); }
    std::size_t pending_bytes() const noexcept override { return queue_.pending_bytes(); }
    TimePoint oldest_accepted() const noexcept override { return queue_.oldest_accepted(); }

  private:
    void fail() const {
        if (fails_) throw std::runtime_error("no");
    }

    bool& fails_;
    MemoryQueue queue_;
};

class EndpointWithFailingQueue : public testing::Test {
  protected:
    std::shared_ptr<Endpoint> add(EndpointOptions options) {
        options.name = "a";
        options.make_sink = hanging_.maker();
        const auto endpoint = std::make_shared<Endpoint>(pipeline_.shard, std::move(options));
        pipeline_.broadcaster.add(endpoint);
        return endpoint;
    }

    bool fails_ = false;
    test::Pipeline pipeline_;
    test::Hanging hanging_{pipeline_};
};

TEST_F(EndpointWithFailingQueue, keeps_its_one_probe) {
    EndpointOptions options;
    options.retry.threshold = 1;
    options.queue = std::make_unique<FailingQueue>(fails_);
    add(std::move(options));
    pipeline_.write("1");
    pipeline_.poll();
    hanging_.answer(Outcome::refused(500));
    fails_ = true;
    pipeline_.advance(1s);

    fails_ = false;
    pipeline_.advance(1s);

    ASSERT_EQ(hanging_.under_way(), 1U) << "the breaker's one probe";
    hanging_.answer(Outcome::delivered(200));
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointWithFailingQueue, counts_what_it_does_not_take) {
    fails_ = true;
    EndpointOptions options;
    options.queue = std::make_unique<FailingQueue>(fails_);
    const auto endpoint = add(std::move(options));

    pipeline_.write("1");
    pipeline_.broadcaster.replay(endpoint, {{make_event("2")}, {make_event("3")}});
    pipeline_.poll();

    EXPECT_EQ(pipeline_.snapshot_of("a").metrics.dropped_events(DropReason::exception), 3U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(EndpointWithFailingQueue, tells_of_what_it_does_not_take_at_most_once_a_second) {
    fails_ = true;
    EndpointOptions options;
    options.queue = std::make_unique<FailingQueue>(fails_);
    add(std::move(options));

    for (int i = 0; i < 50; ++i) pipeline_.write("1");
    pipeline_.poll();
    EXPECT_EQ(pipeline_.log_count("events dropped"), 1U);
    pipeline_.advance(1s);

    EXPECT_EQ(pipeline_.log_count("events dropped"), 2U);
    EXPECT_EQ(pipeline_.log_count(R"("reason":"exception","events":49)"), 1U);
    EXPECT_EQ(pipeline_.log_count(R"("error":"no")"), 2U);
}

}  // namespace
}  // namespace fanfare
