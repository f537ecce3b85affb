#include <gtest/gtest.h>

#include <boost/asio/this_coro.hpp>

#include "base/wakeup.h"
#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using test::Pipeline;
using test::Receiver;
using test::refuse;
using test::ScriptedSink;
using Strings = std::vector<std::string>;

/// Says when an attempt comes, and ends it when it is told to.
class HeldSink final : public Sink {
  public:
    struct State {
        explicit State(const Executor& executor) : go(executor) {}
        Strings begun;
        Strings ended;
        Wakeup go;
        Outcome outcome = Outcome::delivered(200);
    };

    explicit HeldSink(State& state) : state_(state) {}

    awaitable<Outcome> deliver(Attempt attempt) override {
        const std::string id(attempt.batch.front()->id());
        state_.begun.push_back(id);
        co_await state_.go.wait();
        state_.ended.push_back(id);
        co_return state_.outcome;
    }

  private:
    State& state_;
};

/// Each attempt waits until its own wakeup is notified, and then fails.
class WaitingSink final : public Sink {
  public:
    WaitingSink(std::vector<Wakeup*>& under_way, int status)
        : under_way_(under_way), status_(status) {}

    awaitable<Outcome> deliver(Attempt /*attempt*/) override {
        Wakeup go(co_await net::this_coro::executor);
        under_way_.push_back(&go);
        co_await go.wait();
        co_return Outcome::refused(status_);
    }

  private:
    std::vector<Wakeup*>& under_way_;
    const int status_;
};

/// An endpoint `a` whose first sink is one, and whose next is another.
class Reconfigure : public testing::Test {
  protected:
    EndpointOptions asking(Receiver& receiver, ScriptedSink::Script script,
                           EndpointOptions options = {}) {
        options.name = "a";
        options.make_sink = [this, &receiver, script](const SinkContext&) {
            return std::make_unique<ScriptedSink>(receiver, pipeline_.clock, script);
        };
        return options;
    }

    static EndpointOptions held(HeldSink::State& state, EndpointOptions options = {}) {
        options.name = "a";
        options.make_sink = [&state](const SinkContext&) {
            return std::make_unique<HeldSink>(state);
        };
        return options;
    }

    static EndpointOptions waiting(std::vector<Wakeup*>& under_way, unsigned max_in_flight,
                                   int status = 500) {
        EndpointOptions options;
        options.name = "a";
        options.max_in_flight = max_in_flight;
        options.make_sink = [&under_way, status](const SinkContext&) {
            return std::make_unique<WaitingSink>(under_way, status);
        };
        return options;
    }

    void add(EndpointOptions options) {
        pipeline_.broadcaster.add(std::make_shared<Endpoint>(pipeline_.shard, std::move(options)));
    }

    void change(EndpointOptions options) {
        EndpointChanges changes;
        changes.changed.push_back(std::move(options));
        ASSERT_TRUE(pipeline_.broadcaster.apply(std::move(changes)));
        pipeline_.poll();
    }

    EndpointSnapshot snapshot() { return pipeline_.snapshot_of("a"); }

    Pipeline pipeline_;
    Receiver before_;
    Receiver after_;
};

// RL2
TEST_F(Reconfigure, sends_what_is_queued_by_the_new_settings_in_order_and_at_once) {
    EndpointOptions options;
    options.retry.threshold = 3;
    options.retry.backoff = 1h;
    add(asking(before_, refuse, std::move(options)));
    pipeline_.write_many(100);
    pipeline_.advance(5min);
    EXPECT_TRUE(snapshot().is_breaker_open);

    change(asking(after_, deliver));

    ASSERT_EQ(after_.ids.size(), 100U);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(after_.ids[static_cast<std::size_t>(i)], std::to_string(i));
    EXPECT_EQ(before_.attempts, 3U);
    EXPECT_EQ(after_.numbers.front(), 4U) << "attempts count on";
    EXPECT_EQ(snapshot().metrics.successes(), 100U);
    EXPECT_EQ(snapshot().metrics.failures(), 3U);
    EXPECT_FALSE(snapshot().is_breaker_open);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

// RL12
TEST_F(Reconfigure, cuts_a_backoff_short_for_one_attempt) {
    EndpointOptions options;
    options.retry.threshold = 3;
    options.retry.backoff = 1h;
    const RetryPolicy retry = options.retry;
    add(asking(before_, refuse, std::move(options)));
    pipeline_.write("1");
    pipeline_.advance(1s);

    EndpointOptions next;
    next.retry = retry;
    change(asking(after_, refuse, std::move(next)));

    EXPECT_EQ(after_.attempts, 1U);
    EXPECT_TRUE(snapshot().is_breaker_open);
    pipeline_.advance(59min);
    EXPECT_EQ(after_.attempts, 1U);
    pipeline_.advance(1min);
    EXPECT_EQ(after_.attempts, 2U);
}

TEST_F(Reconfigure, cuts_short_what_each_event_waits_for) {
    EndpointOptions options;
    options.max_in_flight = 4;
    options.retry.strategy = RetryPolicy::Strategy::exponential;
    options.retry.schedule = {1h};
    const RetryPolicy retry = options.retry;
    add(asking(before_, refuse, std::move(options)));
    pipeline_.write_many(10);
    pipeline_.advance(1min);
    EXPECT_EQ(before_.attempts, 10U);

    EndpointOptions next;
    next.max_in_flight = 4;
    next.retry = retry;
    change(asking(after_, deliver, std::move(next)));

    EXPECT_EQ(after_.ids.size(), 10U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, forgets_that_the_old_receiver_asked_for_time_or_was_gone) {
    EndpointOptions options;
    options.retry.gone_disables = true;
    add(asking(
        before_,
        [](const Attempt& a) {
            return a.batch.front()->id() == "1" ? Outcome::refused(410) : Outcome::refused(503, 1h);
        },
        std::move(options)));
    pipeline_.write("0");
    pipeline_.advance(1s);
    EXPECT_GT(snapshot().pause_left, 0s);
    change(asking(after_, deliver));
    EXPECT_EQ(after_.ids, Strings{"0"});
    EndpointOptions gone;
    gone.retry.gone_disables = true;
    change(asking(
        before_, [](const Attempt&) { return Outcome::refused(410); }, std::move(gone)));
    pipeline_.write("1");
    pipeline_.poll();
    EXPECT_TRUE(snapshot().is_gone);

    change(asking(after_, deliver));
    pipeline_.write("2");
    pipeline_.poll();

    EXPECT_FALSE(snapshot().is_gone);
    EXPECT_EQ(after_.ids, (Strings{"0", "2"}));
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, is_not_gone_by_what_the_old_receiver_answers) {
    std::vector<Wakeup*> under_way;
    EndpointOptions first = waiting(under_way, 1, 410);
    first.retry.gone_disables = true;
    add(std::move(first));
    pipeline_.write("0");
    pipeline_.poll();
    EndpointOptions next;
    next.retry.gone_disables = true;
    change(asking(after_, deliver, std::move(next)));

    under_way.at(0)->notify();
    pipeline_.poll();

    EXPECT_FALSE(snapshot().is_gone);
    EXPECT_EQ(after_.ids, Strings{"0"});
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, leaves_an_operators_pause_alone) {
    add(asking(before_, deliver));
    pipeline_.poll();
    pipeline_.broadcaster.find("a")->pause();
    pipeline_.write("1");

    change(asking(after_, deliver));

    EXPECT_EQ(after_.attempts, 0U);
    pipeline_.broadcaster.find("a")->resume();
    pipeline_.poll();
    EXPECT_EQ(after_.ids, Strings{"1"});
}

TEST_F(Reconfigure, lets_the_attempt_under_way_end_with_the_old_settings) {
    HeldSink::State old_sink(pipeline_.shard.executor());
    add(held(old_sink));
    pipeline_.write_many(3);
    pipeline_.poll();

    change(asking(after_, deliver));

    EXPECT_EQ(after_.attempts, 0U) << "one at a time";
    old_sink.outcome = Outcome::refused(500);
    old_sink.go.notify();
    pipeline_.poll();
    EXPECT_EQ(old_sink.ended, Strings{"0"});
    EXPECT_EQ(after_.ids, (Strings{"0", "1", "2"}));
    EXPECT_EQ(after_.numbers, (std::vector<unsigned>{2, 1, 1}));
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, filters_only_what_comes_later) {
    HeldSink::State old_sink(pipeline_.shard.executor());
    add(held(old_sink));
    pipeline_.write("1", "pull");
    pipeline_.write("2", "pull");
    EndpointOptions options;
    options.filter = std::make_unique<IgnoreFilter>(Strings{}, Strings{"pull"});

    // All of it before the shard's next turn: the change has its place among the events.
    EndpointChanges changes;
    changes.changed.push_back(asking(after_, deliver, std::move(options)));
    ASSERT_TRUE(pipeline_.broadcaster.apply(std::move(changes)));
    pipeline_.write("3", "pull");
    pipeline_.write("4", "push");
    pipeline_.poll();

    EXPECT_EQ(after_.ids, (Strings{"1", "2", "4"}));
    EXPECT_EQ(snapshot().metrics.ignored_events(), 1U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, grows_to_more_attempts_at_once) {
    std::vector<Wakeup*> under_way;
    add(waiting(under_way, 1));
    pipeline_.write_many(8);
    pipeline_.poll();
    ASSERT_EQ(under_way.size(), 1U);

    change(waiting(under_way, 4));

    EXPECT_EQ(under_way.size(), 1U) << "what was strict ends strictly";
    under_way[0]->notify();
    pipeline_.poll();
    EXPECT_EQ(snapshot().in_flight_requests, 4U);
    EXPECT_EQ(snapshot().pending_events, 8U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, shrinks_to_one_attempt_at_once_and_strict_order) {
    std::vector<Wakeup*> under_way;
    add(waiting(under_way, 4));
    pipeline_.write_many(10);
    pipeline_.poll();
    ASSERT_EQ(under_way.size(), 4U);

    change(asking(after_, deliver));

    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(after_.attempts, 0U) << "while " << 4 - i << " are under way";
        under_way[i]->notify();
        pipeline_.poll();
    }
    EXPECT_EQ(after_.ids, (Strings{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
    EXPECT_EQ(snapshot().pending_events, 0U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, takes_another_order_with_what_is_queued) {
    add(asking(before_, refuse));
    pipeline_.write("a1", "a");
    pipeline_.write("a2", "a");
    pipeline_.write("b1", "b");
    pipeline_.advance(1min);
    EndpointOptions options;
    options.max_in_flight = 2;
    options.order_by = "/action";
    options.retry.strategy = RetryPolicy::Strategy::exponential;

    change(asking(
        after_,
        [](const Attempt& a) {
            return a.batch.front()->action() == "a" ? Outcome::refused(500)
                                                    : Outcome::delivered(200);
        },
        std::move(options)));
    pipeline_.advance(1min);

    EXPECT_EQ(after_.ids, Strings{"b1"}) << "a1 holds up only its own key now";
    change(asking(before_, deliver));
    EXPECT_EQ(before_.ids, (Strings{"a1", "a2"}));
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, begins_to_send_batches) {
    add(asking(before_, refuse));
    pipeline_.broadcaster.find("a")->pause();
    pipeline_.write_many(10);
    pipeline_.poll();
    EndpointOptions options;
    options.batch.events_max = 5;

    change(asking(after_, deliver, std::move(options)));
    pipeline_.broadcaster.find("a")->resume();
    pipeline_.poll();

    EXPECT_EQ(after_.ids.size(), 10U);
    EXPECT_EQ(after_.attempts, 2U);
    EXPECT_EQ(snapshot().metrics.batches()->events.count(), 2U);
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, tries_again_when_a_sink_cannot_be_made) {
    add(asking(before_, deliver));
    unsigned tries = 0;
    EndpointOptions options = asking(after_, deliver);
    options.make_sink = [&, make = std::move(options.make_sink)](const SinkContext& context) {
        if (++tries < 3) throw std::bad_alloc();
        return make(context);
    };

    change(std::move(options));
    pipeline_.write("1");
    pipeline_.advance(5s);

    EXPECT_EQ(after_.ids, Strings{"1"});
    EXPECT_CONSERVED(pipeline_.snapshot());
}

TEST_F(Reconfigure, makes_no_difference_once_the_endpoint_drains) {
    HeldSink::State sink(pipeline_.shard.executor());
    add(held(sink));
    pipeline_.write("1");
    pipeline_.poll();
    const std::shared_ptr<Endpoint> endpoint = pipeline_.broadcaster.find("a");
    pipeline_.broadcaster.remove(endpoint, 1min);
    pipeline_.poll();

    endpoint->reconfigure(asking(after_, deliver));
    sink.go.notify();
    pipeline_.poll();

    EXPECT_EQ(sink.ended, Strings{"1"});
    EXPECT_EQ(after_.attempts, 0U);
}

}  // namespace
}  // namespace fanfare
