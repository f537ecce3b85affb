// What a process finds that begins where another one ended.
#include "durable_support.h"

namespace fanfare::test {
namespace {

TEST_F(DurableTest, crash_loses_nothing_and_keeps_the_order) {
    process_->add("audit", refuse, receiver_);
    store_many(5);
    process_->poll();

    crash();
    process_->add("audit", deliver, receiver_);
    process_->poll();

    EXPECT_EQ(receiver_.ids, numbers(0, 5));
    const EndpointSnapshot snapshot = process_->snapshot_of("audit");
    EXPECT_EQ(snapshot.metrics.restored_events(), 5U);
    expect_conserved(snapshot);
}

TEST_F(DurableTest, numbers_go_on_after_a_crash) {
    process_->add("audit", deliver, receiver_);
    store_many(5);
    process_->advance(1s);

    crash();
    process_->add("audit", deliver, receiver_);
    const std::shared_ptr<Event> event = make_event("next");
    process_->broadcaster.store({&event, 1}, [](Stored, Broadcaster::Written) {});
    process_->poll();

    EXPECT_EQ(event->seq(), 6U);
}

TEST_F(DurableTest, attempts_and_the_wait_for_the_next_one_survive) {
    EndpointOptions options = many_at_once();
    options.retry.initial = 1h;
    options.retry.max = 10h;
    process_->add("audit", refuse, receiver_, std::move(options));
    process_->store("a");
    process_->advance(200ms);
    EXPECT_EQ(receiver_.attempts, 1U);

    crash();
    options = many_at_once();
    options.retry.initial = 1h;
    options.retry.max = 10h;
    process_->add("audit", deliver, receiver_, std::move(options));
    process_->advance(59min);
    EXPECT_EQ(receiver_.attempts, 1U);
    process_->advance(2min);

    EXPECT_EQ(receiver_.numbers, (std::vector<unsigned>{1, 2}));
    EXPECT_EQ(receiver_.ids, Strings{"a"});
}

TEST_F(DurableTest, wait_is_not_longer_than_the_longest_one_though_the_clock_was_set) {
    EndpointOptions options = many_at_once();
    options.retry.initial = 1min;
    options.retry.max = 1min;
    process_->add("audit", refuse, receiver_, std::move(options));
    process_->store("a");
    process_->advance(200ms);

    durable_.clock.step_wall(-24h * 365);
    crash();
    options = many_at_once();
    options.retry.max = 1min;
    process_->add("audit", deliver, receiver_, std::move(options));
    process_->advance(1min);

    EXPECT_EQ(receiver_.ids, Strings{"a"});
}

TEST_F(DurableTest, batch_is_sent_again_as_it_was) {
    EndpointOptions options;
    options.batch.events_max = 3;
    process_->add("audit", refuse, receiver_, std::move(options));
    store_many(4);
    process_->advance(200ms);

    crash();
    std::vector<std::size_t> sizes;
    options = EndpointOptions();
    options.batch.events_max = 3;
    process_->add(
        "audit",
        [&](const Attempt& attempt) {
            sizes.push_back(attempt.batch.size());
            return deliver(attempt);
        },
        receiver_, std::move(options));
    process_->advance(2s);

    EXPECT_EQ(receiver_.ids, numbers(0, 4));
    EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 1}));
}

TEST_F(DurableTest, batch_larger_than_a_page_is_sent_again_as_it_was) {
    EndpointOptions options;
    options.batch.events_max = 1000;
    process_->add("audit", refuse, receiver_, std::move(options));
    store_many(1000);
    process_->advance(2s);

    crash();
    std::vector<std::size_t> sizes;
    options = EndpointOptions();
    options.batch.events_max = 1000;
    process_->add(
        "audit",
        [&](const Attempt& attempt) {
            sizes.push_back(attempt.batch.size());
            return deliver(attempt);
        },
        receiver_, std::move(options));
    process_->advance(2s);

    EXPECT_EQ(receiver_.ids, numbers(0, 1000));
    EXPECT_EQ(sizes, (std::vector<std::size_t>{256, 744}));
}

}  // namespace
}  // namespace fanfare::test
