#include <gtest/gtest.h>

#include "support/pipeline.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Pipeline;
using test::Receiver;
using Strings = std::vector<std::string>;

EndpointOptions batches_of(std::size_t events, Duration linger = {}) {
    EndpointOptions options;
    options.batch.events_max = events;
    options.batch.linger = linger;
    return options;
}

std::string joined(Batch batch) {
    std::string ids;
    for (const EventPtr& event : batch) ids.append(ids.empty() ? "" : " ").append(event->id());
    return ids;
}

/// An endpoint that remembers what each attempt held, and answers as it is told.
class EndpointBatch : public testing::Test {
  protected:
    using Script = std::function<Outcome(const Attempt&)>;

    void add(EndpointOptions options, Script script = {}) {
        endpoint = pipeline.add(
            "a",
            [this, script](const Attempt& attempt) {
                attempts.push_back(joined(attempt.batch));
                return script ? script(attempt) : Outcome::delivered(200);
            },
            receiver, std::move(options));
    }

    Pipeline pipeline;
    Receiver receiver;
    Strings attempts;
    std::shared_ptr<Endpoint> endpoint;
};

// B1.
TEST_F(EndpointBatch, of_one_event_is_the_default) {
    add({});

    pipeline.write_many(5);
    pipeline.poll();

    EXPECT_EQ(attempts, (Strings{"0", "1", "2", "3", "4"}));
}

// B2.
TEST_F(EndpointBatch, waits_for_more_as_long_as_it_may_linger) {
    add(batches_of(10, 200ms));

    pipeline.write_many(3);
    pipeline.advance(199ms);
    EXPECT_TRUE(attempts.empty());
    pipeline.advance(1ms);

    EXPECT_EQ(attempts, (Strings{"0 1 2"}));
}

// B3.
TEST_F(EndpointBatch, goes_at_once_when_it_is_full) {
    add(batches_of(3, 10s));

    pipeline.write_many(7);
    pipeline.poll();
    EXPECT_EQ(attempts, (Strings{"0 1 2", "3 4 5"}));
    pipeline.advance(10s);

    EXPECT_EQ(attempts, (Strings{"0 1 2", "3 4 5", "6"}));
}

// B8.
TEST_F(EndpointBatch, goes_at_once_when_the_endpoint_drains) {
    add(batches_of(10, 10s));
    pipeline.write_many(3);
    pipeline.poll();

    pipeline.drain(1s);

    EXPECT_EQ(attempts, (Strings{"0 1 2"}));
}

// B4 and B5.
TEST_F(EndpointBatch, takes_what_has_piled_up_and_stays_as_it_was_when_it_is_tried_again) {
    add(batches_of(100), [this](const Attempt& attempt) {
        if (attempts.size() < 3) pipeline.write("more" + std::to_string(attempts.size()));
        return attempt.number < 3 ? Outcome::refused(500) : Outcome::delivered(200);
    });

    pipeline.write_many(3);
    pipeline.poll();

    EXPECT_EQ(attempts,
              (Strings{"0 1 2", "0 1 2", "0 1 2", "more1 more2", "more1 more2", "more1 more2"}));
    EXPECT_EQ(receiver.numbers, (std::vector<unsigned>{1, 2, 3, 1, 2, 3}));
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.successes(), 5U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// B7.
TEST_F(EndpointBatch, is_halved_until_it_is_small_enough) {
    add(batches_of(8), [](const Attempt& attempt) {
        return attempt.batch.size() > 2 ? Outcome::refused(413) : Outcome::delivered(200);
    });

    pipeline.write_many(8);
    pipeline.poll();

    EXPECT_EQ(attempts,
              (Strings{"0 1 2 3 4 5 6 7", "0 1 2 3", "0 1", "2 3", "4 5 6 7", "4 5", "6 7"}));
    EXPECT_EQ(receiver.ids, (Strings{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

TEST_F(EndpointBatch, loses_only_the_one_event_that_its_receiver_refuses) {
    add(batches_of(64), [](const Attempt& attempt) {
        for (const EventPtr& event : attempt.batch) {
            if (event->id() == "41") return Outcome::refused(422);
        }
        return Outcome::delivered(200);
    });

    pipeline.write_many(64);
    pipeline.poll();

    Strings expected;
    for (int i = 0; i < 64; ++i) {
        if (i != 41) expected.push_back(std::to_string(i));
    }
    EXPECT_EQ(receiver.ids, expected);
    const EndpointMetrics metrics = pipeline.snapshot_of("a").metrics;
    EXPECT_EQ(metrics.dead_letters(DeadReason::permanent), 1U);
    EXPECT_EQ(metrics.batches()->events.count(), 1U);
    EXPECT_EQ(metrics.batches()->events.sum(), 64);
    EXPECT_EQ(metrics.batches()->splits, 6U);
    EXPECT_FALSE(pipeline.snapshot_of("a").is_breaker_open);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// E4.
TEST_F(EndpointBatch, loses_only_the_one_event_at_which_its_sink_throws) {
    add(batches_of(5), [](const Attempt& attempt) -> Outcome {
        for (const EventPtr& event : attempt.batch) {
            if (event->id() == "2") throw std::runtime_error("poison");
        }
        return Outcome::delivered(200);
    });

    pipeline.write_many(5);
    pipeline.poll();

    EXPECT_EQ(receiver.ids, (Strings{"0", "1", "3", "4"}));
    EXPECT_EQ(pipeline.snapshot_of("a").metrics.dead_letters(DeadReason::exception), 1U);
    EXPECT_CONSERVED(pipeline.snapshot());
}

// E2.
TEST_F(EndpointBatch, survives_a_sink_that_throws_once) {
    add({}, [this](const Attempt&) -> Outcome {
        if (attempts.size() == 1) throw 5;
        return Outcome::delivered(200);
    });

    pipeline.write_many(2);
    pipeline.poll();

    EXPECT_EQ(attempts, (Strings{"0", "0", "1"}));
    EXPECT_CONSERVED(pipeline.snapshot());
}

// B10.
TEST_F(EndpointBatch, keeps_the_order_of_arrival) {
    add(batches_of(7, 100ms));
    Strings expected;
    for (int i = 0; i < 1000; ++i) {
        expected.push_back(std::to_string(i));
        pipeline.write(expected.back());
        pipeline.advance(std::chrono::milliseconds(i * i % 50));
    }
    pipeline.advance(1s);

    EXPECT_EQ(receiver.ids, expected);
    EXPECT_LT(attempts.size(), 500U);
}

}  // namespace
}  // namespace fanfare
