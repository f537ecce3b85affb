// Places of endpoints in a log on a real NATS server.
#include <set>

#include "support/nats_parts.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::entry;
using test::id_of;
using test::NatsProcess;
using test::quick_log;
using test::Received;
using test::soon;
using test::stored;

class NatsConsumerTest : public test::WithNatsServer {};

ConsumerOptions partitioned(const std::string& endpoint) {
    return {.endpoint = endpoint, .in_flight_max = 1, .is_partitioned = true};
}

NatsLogOptions by_last_digit() {
    NatsLogOptions options = quick_log();
    options.partition = [](const Event& event) {
        return static_cast<unsigned>(event.id().back() - '0');
    };
    return options;
}

TEST_F(NatsConsumerTest, delivers_each_entry_to_every_endpoint) {
    NatsProcess process(server_.url(), quick_log());
    Received first;
    Received second;
    const auto one = process.place("one", first, 10);
    const auto two = process.place("two", second, 10);
    one->allow(10);
    two->allow(10);

    const std::uint64_t seq = stored(process.events, entry("e"));

    for (Received* received : {&first, &second}) {
        EXPECT_EQ(id_of(received->at(0)), "e");
        EXPECT_EQ(received->at(0).seq, seq);
        EXPECT_EQ(received->at(0).deliveries, 1U);
    }
}

TEST_F(NatsConsumerTest, delivers_no_more_than_is_allowed) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 10);
    place->allow(2);
    for (int i = 0; i < 4; ++i) stored(process.events, entry("e" + std::to_string(i)));
    received.at(1);

    EXPECT_FALSE(soon([&] { return received.size() > 2; }, 200ms));
    place->done(received.at(0).token);
    place->done(received.at(1).token);
    place->allow(1);

    EXPECT_EQ(id_of(received.at(2)), "e2");
}

TEST_F(NatsConsumerTest, keeps_the_order_when_the_first_is_given_back) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(100);
    for (int i = 0; i < 3; ++i) stored(process.events, entry("e" + std::to_string(i)));

    place->later(received.at(0).token, 300ms);
    EXPECT_EQ(id_of(received.at(1)), "e0");
    EXPECT_EQ(received.at(1).deliveries, 2U);
    place->done(received.at(1).token);
    EXPECT_EQ(id_of(received.at(2)), "e1");
    place->later(received.at(2).token, 0s);
    EXPECT_EQ(id_of(received.at(3)), "e1");
    place->done(received.at(3).token);

    EXPECT_EQ(id_of(received.at(4)), "e2");
}

TEST_F(NatsConsumerTest, waits_before_it_delivers_again) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(10);
    stored(process.events, entry("e"));
    received.at(0);

    const auto begin = std::chrono::steady_clock::now();
    place->later(received.at(0).token, 1500ms);  // longer than pulls without a sign live
    received.at(1);

    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1400ms);
    EXPECT_LE(std::chrono::steady_clock::now() - begin, 4s);
}

TEST_F(NatsConsumerTest, delivers_again_what_nobody_has_spoken_of) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(10);
    stored(process.events, entry("e"));

    EXPECT_EQ(received.at(0).deliveries, 1U);
    EXPECT_EQ(received.at(1).deliveries, 2U);
}

TEST_F(NatsConsumerTest, leaves_what_is_being_worked_on) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(10);
    stored(process.events, entry("e"));
    const std::string token = received.at(0).token;

    const auto end = std::chrono::steady_clock::now() + 2500ms;
    while (std::chrono::steady_clock::now() < end) {
        place->working(token);
        soon([&] { return received.size() > 1; }, 200ms);
    }

    EXPECT_EQ(received.size(), 1U);
}

TEST_F(NatsConsumerTest, gives_each_entry_to_one_process_only) {
    NatsProcess one(server_.url(), quick_log());
    NatsProcess two(server_.url(), quick_log());
    Received first;
    Received second;
    const auto here = one.place("shared", first, 100);
    const auto there = two.place("shared", second, 100);
    here->allow(20);
    there->allow(20);
    stored(one.events, entry("warm-up"));

    for (int i = 0; i < 20; ++i) stored(two.events, entry("e" + std::to_string(i)));

    ASSERT_TRUE(soon([&] { return first.size() + second.size() == 21; }));
    EXPECT_GT(first.size(), 0U);
    EXPECT_GT(second.size(), 0U);
}

TEST_F(NatsConsumerTest, leaves_the_rest_to_others_when_it_ends) {
    NatsProcess one(server_.url(), quick_log());
    NatsProcess two(server_.url(), quick_log());
    Received first;
    Received second;
    const auto stays = two.place("shared", second, 1);
    {
        const auto leaves = one.place("shared", first, 1);
        leaves->allow(5);
        stored(one.events, entry("e0"));
        leaves->later(first.at(0).token, 0s);
    }
    stays->allow(5);

    EXPECT_EQ(id_of(second.at(0)), "e0");
}

TEST_F(NatsConsumerTest, goes_on_after_the_server_has_come_back) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(100);
    stored(process.events, entry("e0"));
    received.at(0);

    server_.kill();
    ASSERT_TRUE(soon([&] { return !process.connection.is_connected(); }));
    place->done(received.at(0).token);  // told once there is somebody to tell
    server_.start();
    stored(process.events, entry("e1"));

    ASSERT_TRUE(soon([&] {
        // What was said last can be lost with the server: then it comes again, as to a queue.
        const auto all = received.all();
        if (id_of(all.back()) == "e0") place->done(all.back().token);
        return id_of(all.back()) == "e1";
    }));
    EXPECT_LE(received.size(), 3U);
}

TEST_F(NatsConsumerTest, goes_on_after_the_server_was_frozen) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(100);
    stored(process.events, entry("e0"));
    place->done(received.at(0).token);

    server_.freeze();
    EXPECT_EQ(test::append(process.events, entry("lost?")).first, Published::unavailable);
    server_.thaw();
    stored(process.events, entry("e1"));

    EXPECT_TRUE(soon([&] {
        for (const Delivery& delivery : received.all()) {
            if (id_of(delivery) == "e1") return true;
            place->done(delivery.token);
        }
        return false;
    }));
}

TEST_F(NatsConsumerTest, makes_the_place_again_that_somebody_has_deleted) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(100);
    stored(process.events, entry("e0"));
    place->done(received.at(0).token);

    JetStream(process.connection).delete_consumer("fanfare", "one", [](const JsResult<bool>&) {});

    int next = 1;
    EXPECT_TRUE(soon([&] {
        stored(process.events, entry("e" + std::to_string(next++)));
        return received.size() > 1;
    }));
}

TEST_F(NatsConsumerTest, begins_behind_what_was_there_before_it) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("before"));
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(100);
    ASSERT_TRUE(soon([&] { return place->figures().is_known; }));

    stored(process.events, entry("after"));

    EXPECT_EQ(id_of(received.at(0)), "after");
}

TEST_F(NatsConsumerTest, keeps_the_order_in_each_partition_by_itself) {
    NatsProcess process(server_.url(), by_last_digit());
    Received received;
    const auto place = process.place(partitioned("ordered"), received);
    place->allow(32);
    stored(process.events, entry("a-1"));
    stored(process.events, entry("b-1"));
    stored(process.events, entry("c-2"));

    ASSERT_TRUE(soon([&] { return received.size() == 2; }));
    const auto begun = received.all();
    EXPECT_EQ(id_of(begun[0]), "a-1");
    EXPECT_EQ(id_of(begun[1]), "c-2");  // as a-1 stands before b-1 only
    place->later(begun[0].token, 0s);
    EXPECT_EQ(id_of(received.at(2)), "a-1");
    place->done(received.at(2).token);

    EXPECT_EQ(id_of(received.at(3)), "b-1");
}

TEST_F(NatsConsumerTest, reaches_all_partitions_with_little_credit) {
    NatsProcess process(server_.url(), by_last_digit());
    Received received;
    const auto place = process.place(partitioned("ordered"), received);
    place->allow(2);

    for (int i = 0; i < 4; ++i) stored(process.events, entry("e-" + std::to_string(2 * i + 1)));

    for (std::size_t i = 0; i < 4; ++i) {
        place->done(received.at(i, 20s).token);
        place->allow(1);
    }
    EXPECT_EQ(received.size(), 4U);
}

TEST_F(NatsConsumerTest, tells_what_is_pending) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 2);
    place->allow(1);
    for (int i = 0; i < 4; ++i) stored(process.events, entry("e" + std::to_string(i)));
    received.at(0);

    EXPECT_TRUE(soon([&] { return place->figures().pending == 4; }));
    EXPECT_EQ(place->figures().with_others, 1U);
    EXPECT_EQ(place->figures().oldest_accepted_at, entry("e0").accepted_at);
    place->done(received.at(0).token);
    place->allow(10);
    for (std::size_t i = 1; i < 4; ++i) place->done(received.at(i).token);
    EXPECT_TRUE(soon([&] { return place->figures().pending == 0; }));
    EXPECT_EQ(place->figures().oldest_accepted_at, WallTime());
}

TEST_F(NatsConsumerTest, purges_what_is_pending_and_delivers_what_comes_then) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 2);
    for (int i = 0; i < 4; ++i) stored(process.events, entry("e" + std::to_string(i)));

    std::promise<std::int64_t> purged;
    place->purge([&](std::int64_t count) { purged.set_value(count); });
    EXPECT_EQ(purged.get_future().get(), 4);
    stored(process.events, entry("next"));
    place->allow(10);

    EXPECT_EQ(id_of(received.at(0)), "next");
}

TEST_F(NatsConsumerTest, takes_another_bound_over) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(10);
    for (int i = 0; i < 3; ++i) stored(process.events, entry("e" + std::to_string(i)));
    received.at(0);

    place->change({.endpoint = "one", .in_flight_max = 3});
    EXPECT_EQ(id_of(received.at(1)), "e1");
    EXPECT_EQ(id_of(received.at(2)), "e2");
}

TEST_F(NatsConsumerTest, tells_of_a_damaged_entry_by_its_seq) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received, 1);
    place->allow(10);
    stored(process.events, entry("good"));
    place->done(received.at(0).token);

    process.connection.publish(
        {.subject = "fanfare.events.0", .headers = {}, .payload = "no headers"});

    EXPECT_FALSE(received.at(1).entry.event);
    EXPECT_EQ(received.at(1).seq, 2U);
}

/// The consumers whose names begin so.
std::size_t consumers_of(NatsProcess& process, const std::string& name) {
    std::promise<std::size_t> count;
    JetStream(process.connection).consumers("fanfare", [&](const JsResult<JsConsumers>& all) {
        std::size_t found = 0;
        if (all) {
            for (const auto& one : all->known) found += one.name.starts_with(name) ? 1 : 0;
        }
        count.set_value(found);
    });
    return count.get_future().get();
}

// As after a restart with another configuration: nothing that waits is lost.
TEST_F(NatsConsumerTest, goes_on_where_it_was_when_its_order_has_changed) {
    for (const bool was_partitioned : {false, true}) {
        const std::string name = was_partitioned ? "parts" : "whole";
        ConsumerOptions options{.endpoint = name, .in_flight_max = 1};
        options.is_partitioned = was_partitioned;
        std::set<std::string> left;
        {
            NatsProcess process(server_.url(), by_last_digit());
            Received received;
            const auto place = process.place(options, received);
            place->allow(1);
            for (const char digit : {'0', '1', '2', '3'}) {
                left.insert(name + digit);
                stored(process.events, entry(name + digit));
            }
            place->done(received.at(0).token);
            left.erase(id_of(received.at(0)));
        }
        NatsProcess process(server_.url(), by_last_digit());
        Received received;
        options.is_partitioned = !was_partitioned;
        const auto place = process.place(options, received);
        place->allow(100);

        for (std::size_t i = 0; !left.empty() && !HasFailure(); ++i) {
            left.erase(id_of(received.at(i)));
            place->done(received.at(i).token);
        }

        const std::size_t wanted = options.is_partitioned ? 16 : 1;
        EXPECT_TRUE(soon([&] { return consumers_of(process, name) == wanted; }))
            << "the places of before are still there";
    }
}

// Endpoints may be destroyed long after it.
TEST_F(NatsConsumerTest, do_not_hold_up_the_end_of_the_connection) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received);
    place->allow(1);
    stored(process.events, entry("e0"));
    received.at(0);

    process.connection.stop();

    place->done(received.at(0).token);
}

}  // namespace
}  // namespace fanfare
