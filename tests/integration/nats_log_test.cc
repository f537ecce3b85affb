// The log of events on a real NATS server: appending, following, and what is purged.
#include "support/nats_parts.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::append;
using test::entry;
using test::NatsProcess;
using test::quick_log;
using test::Received;
using test::soon;
using test::stored;

class NatsLogTest : public test::WithNatsServer {};

TEST_F(NatsLogTest, tells_the_seqs_of_what_it_has_stored) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("first"));

    std::vector<LogEntry> entries;
    for (int i = 0; i < 3; ++i) entries.push_back(entry("more-" + std::to_string(i)));
    const auto [how, seqs] = append(process.events, std::move(entries));

    EXPECT_EQ(how, Published::stored);
    EXPECT_EQ(seqs, (std::vector<std::uint64_t>{2, 3, 4}));
}

TEST_F(NatsLogTest, gives_a_duplicate_the_seq_it_has) {
    NatsProcess process(server_.url(), quick_log());
    const std::uint64_t seq = stored(process.events, entry("same"));

    const auto [how, seqs] = append(process.events, entry("same", "{\"other\": true}"));

    EXPECT_EQ(how, Published::stored);
    EXPECT_EQ(seqs, std::vector<std::uint64_t>{seq});
    EXPECT_EQ(process.events.figures().duplicates, 1U);
}

TEST_F(NatsLogTest, takes_the_same_event_again_under_another_key) {
    NatsProcess process(server_.url(), quick_log());
    const std::uint64_t seq = stored(process.events, entry("same"));
    LogEntry again = entry("same");
    again.dedup_key = "replay of a letter";

    EXPECT_EQ(append(process.events, again).second, std::vector<std::uint64_t>{seq + 1});
}

TEST_F(NatsLogTest, says_that_it_is_full) {
    NatsLogOptions options = quick_log();
    options.bytes_max = 20'000;
    NatsProcess process(server_.url(), options);
    stored(process.events, entry("first"));
    Received received;
    const auto holder = process.place("holder", received);  // so that nothing is purged

    Published last = Published::stored;
    for (int i = 0; i < 200 && last != Published::full; ++i) {
        last = append(process.events,
                      entry("e" + std::to_string(i), "{\"a\": \"" + std::string(500, 'x') + "\"}"))
                   .first;
    }

    EXPECT_EQ(last, Published::full);
}

TEST_F(NatsLogTest, refuses_what_is_too_large_for_the_server) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("first"));

    const std::string large = "{\"a\": \"" + std::string(2'000'000, 'x') + "\"}";

    EXPECT_EQ(append(process.events, entry("large", large)).first, Published::refused);
}

TEST_F(NatsLogTest, refuses_what_would_be_too_large_as_a_dead_letter) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("first"));
    const std::size_t most = process.connection.payload_max();

    const std::string large = "{\"a\": \"" + std::string(most - 2048, 'x') + "\"}";
    EXPECT_EQ(append(process.events, entry("large", large)).first, Published::refused);
    const std::string fits = "{\"a\": \"" + std::string(most - 8192, 'x') + "\"}";
    EXPECT_EQ(append(process.events, entry("fits", fits)).first, Published::stored);
}

TEST_F(NatsLogTest, stores_nothing_of_a_request_one_of_which_is_too_large) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("first"));
    const std::string large = "{\"a\": \"" + std::string(2'000'000, 'x') + "\"}";

    std::promise<Published> how;
    ASSERT_TRUE(process.events.append({entry("a"), entry("b", large), entry("c")},
                                      [&](Published told, const auto&) { how.set_value(told); }));

    EXPECT_EQ(how.get_future().get(), Published::refused);
    EXPECT_EQ(stored(process.events, entry("next")), 2U);
}

TEST_F(NatsLogTest, does_not_take_more_than_may_wait) {
    NatsLogOptions options = quick_log();
    options.waiting_max = 2;
    NatsProcess process(server_.url(), options);
    std::vector<LogEntry> entries = {entry("a"), entry("b"), entry("c")};

    EXPECT_FALSE(process.events.append(std::move(entries), [](Published, auto) { FAIL(); }));
}

TEST_F(NatsLogTest, is_unavailable_once_the_timeout_is_over) {
    NatsLogOptions options = quick_log();
    options.ack_timeout = 200ms;
    NatsProcess process(server_.url(), options);
    stored(process.events, entry("first"));
    server_.freeze();

    EXPECT_EQ(append(process.events, entry("second")).first, Published::unavailable);
    server_.thaw();
}

TEST_F(NatsLogTest, is_unavailable_at_once_without_a_server_and_recovers) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("first"));
    server_.kill();
    ASSERT_TRUE(soon([&] { return !process.connection.is_connected(); }));

    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(append(process.events, entry("second")).first, Published::unavailable);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);

    server_.start();
    EXPECT_EQ(stored(process.events, entry("third")), 2U);
    EXPECT_EQ(process.events.figures().connects, 2U);
}

TEST_F(NatsLogTest, makes_the_stream_again_that_somebody_has_deleted) {
    NatsProcess process(server_.url(), quick_log());
    stored(process.events, entry("first"));
    ASSERT_TRUE(soon([&] { return process.events.figures().last_seq == 1; }));
    JetStream(process.connection).delete_stream("fanfare", [](const JsResult<bool>&) {});
    ASSERT_TRUE(soon([&] { return process.events.figures().last_seq == 0; }));

    EXPECT_EQ(stored(process.events, entry("second")), 1U);
}

NatsLogOptions unrecorded_by_last_digit() {
    NatsLogOptions options = quick_log();
    options.history_records = 0;
    options.partition = [](const Event& event) {
        return static_cast<unsigned>(event.id().back() - '0');
    };
    return options;
}

TEST_F(NatsLogTest, purges_what_all_are_done_with_but_for_history) {
    NatsLogOptions options = quick_log();
    options.history_records = 3;
    NatsProcess process(server_.url(), options);
    Received received;
    const auto place = process.place("one", received, 100);
    place->allow(100);
    for (int i = 0; i < 10; ++i) stored(process.events, entry("e" + std::to_string(i)));

    for (std::size_t i = 0; i < 10; ++i) place->done(received.at(i).token);

    ASSERT_TRUE(soon([&] { return process.events.figures().first_seq == 8; }));
    EXPECT_EQ(process.events.figures().last_seq, 10U);
}

TEST_F(NatsLogTest, lets_go_of_what_is_older_than_it_may_be) {
    NatsLogOptions options = quick_log();
    options.age_max = 500ms;
    options.duplicate_window = 200ms;
    NatsProcess process(server_.url(), options);
    Received received;
    const auto place = process.place("one", received, 1);
    stored(process.events, entry("old"));
    ASSERT_TRUE(soon([&] {
        const SharedLogFigures figures = process.events.figures();
        return figures.last_seq == 1 && figures.events == 0;
    }));

    stored(process.events, entry("new"));
    place->allow(10);

    EXPECT_EQ(test::id_of(received.at(0)), "new");
}

TEST_F(NatsLogTest, keeps_what_one_is_not_done_with) {
    NatsProcess process(server_.url(), unrecorded_by_last_digit());
    Received quick;
    Received slow;
    const auto first = process.place("quick", quick, 100);
    const auto second = process.place("slow", slow, 100);
    first->allow(100);
    second->allow(3);
    for (int i = 0; i < 8; ++i) stored(process.events, entry("e" + std::to_string(i)));
    for (std::size_t i = 0; i < 8; ++i) first->done(quick.at(i).token);

    second->done(slow.at(0).token);
    second->done(slow.at(2).token);  // the one between stays out

    ASSERT_TRUE(soon([&] { return process.events.figures().first_seq == 2; }));
    second->working(slow.at(1).token);
    EXPECT_EQ(process.events.figures().events, 7U);
}

TEST_F(NatsLogTest, purges_beyond_partitions_that_nothing_comes_to) {
    NatsProcess process(server_.url(), unrecorded_by_last_digit());
    Received received;
    const auto place = process.place(
        ConsumerOptions{.endpoint = "ordered", .in_flight_max = 1, .is_partitioned = true},
        received);
    place->allow(32);
    stored(process.events, entry("once-5"));
    place->done(received.at(0).token);
    for (int i = 0; i < 6; ++i) {
        stored(process.events, entry("often-" + std::to_string(i) + "-3"));
        place->done(received.at(static_cast<std::size_t>(i) + 1).token);
    }

    // 5 was not used since seq 1, and others never.
    EXPECT_TRUE(soon([&] {
        const SharedLogFigures figures = process.events.figures();
        return figures.last_seq == 7 && figures.events == 0;
    }));
}

TEST_F(NatsLogTest, keeps_what_waits_in_a_partition_that_nobody_works_on) {
    NatsProcess process(server_.url(), unrecorded_by_last_digit());
    Received received;
    Received idle;
    const ConsumerOptions options{
        .endpoint = "ordered", .in_flight_max = 1, .is_partitioned = true};
    const auto place = process.place(options, received);
    auto idle_options = options;
    idle_options.endpoint = "idle";
    const auto other = process.place(idle_options, idle);  // allows nothing
    place->allow(32);
    for (int i = 0; i < 3; ++i) {
        stored(process.events, entry("x" + std::to_string(i)));
        place->done(received.at(static_cast<std::size_t>(i)).token);
    }

    ASSERT_TRUE(soon([&] { return process.events.figures().events == 3; }));

    // A few rounds of the janitor: it may not take away the first, which `idle` has not had.
    EXPECT_FALSE(soon([&] { return process.events.figures().first_seq != 1; }, 1s));

    other->allow(32);
    for (std::size_t i = 0; i < 3; ++i) other->done(idle.at(i).token);
    EXPECT_TRUE(soon([&] { return process.events.figures().events == 0; }));
}

TEST_F(NatsLogTest, forgets_the_place_of_a_removed_endpoint) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto places = [&process] {
        std::promise<std::optional<std::vector<std::string>>> told;
        process.events.places([&](auto names) { told.set_value(std::move(names)); });
        return told.get_future().get().value_or(std::vector<std::string>{"?"});
    };
    {
        const auto kept = process.place("kept_pears", received);
        const auto removed = process.place(
            ConsumerOptions{.endpoint = "gone", .in_flight_max = 1, .is_partitioned = true},
            received);
        stored(process.events, entry("e"));
    }
    const JsConsumerConfig alien{.stream = "fanfare",
                                 .durable = "alien",
                                 .description = "somebody's own",
                                 .filter = "fanfare.events.>"};
    std::promise<bool> is_made;
    JetStream(process.connection).ensure_consumer(alien, [&](const JsResult<JsConsumerInfo>& made) {
        is_made.set_value(made.has_value());
    });
    ASSERT_TRUE(is_made.get_future().get());
    ASSERT_EQ(places(), (std::vector<std::string>{"gone", "kept_pears"}));

    std::promise<bool> is_done;
    process.events.forget("gone", [&](bool done) { is_done.set_value(done); });

    EXPECT_TRUE(is_done.get_future().get());
    EXPECT_EQ(places(), std::vector<std::string>{"kept_pears"});
}

class NatsLogWithoutServer : public test::WithNatsServer {
  protected:
    NatsLogWithoutServer() { starts_at_once_ = false; }
};

TEST_F(NatsLogWithoutServer, waits_for_the_first_one) {
    NatsProcess process(server_.url(), quick_log());
    Received received;
    const auto place = process.place("one", received);
    place->allow(1);
    EXPECT_EQ(append(process.events, entry("early")).first, Published::unavailable);

    server_.start();

    stored(process.events, entry("late"));
    EXPECT_EQ(test::id_of(received.at(0)), "late");
}

TEST_F(NatsLogWithoutServer, can_end_before_there_is_one) {
    NatsProcess process(server_.url(), quick_log());

    EXPECT_FALSE(process.events.figures().is_connected);
}

TEST_F(NatsLogWithoutServer, comes_back_when_credentials_are_right_after_all) {
    server_.start({"--user", "someone", "--pass", "secret"});
    NatsProcess process(server_.url(), quick_log());
    EXPECT_EQ(append(process.events, entry("early")).first, Published::unavailable);
    server_.kill();

    server_.start();

    stored(process.events, entry("late"));
}

}  // namespace
}  // namespace fanfare
