// Dead letters in a stream of a real NATS server.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "nats/jetstream.h"
#include "support/nats_letters.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::letter;
using test::NatsServer;
using test::noon;
using test::soon;
using Process = test::LetterProcess;

class NatsDeadLettersTest : public testing::Test {
  protected:
    void SetUp() override {
        if (NatsServer::program().empty()) GTEST_SKIP() << "nats-server is not installed";
        server_.start();
    }

    static LetterFilter of(const std::string& endpoint) {
        LetterFilter filter;
        filter.endpoint = endpoint;
        return filter;
    }

    static LetterFilter by_id(std::int64_t id) {
        LetterFilter filter;
        filter.id = id;
        return filter;
    }

    static LetterRange range(LetterFilter filter) {
        LetterRange range;
        range.filter = std::move(filter);
        return range;
    }

    using Ids = std::vector<std::string>;
    NatsServer server_;
};

TEST_F(NatsDeadLettersTest, are_read_by_any_process_in_order) {
    Process one(server_.url());
    Process other(server_.url());

    one.put_all({"e1", "e2", "e3"});
    LetterRange all;
    all.with_payload = true;
    const std::vector<StoredLetter> letters = other.read(std::move(all));

    ASSERT_EQ(letters.size(), 3U);
    EXPECT_EQ(letters[0].event_id, "e1");
    EXPECT_EQ(letters[2].event_id, "e3");
    EXPECT_LT(letters[0].id, letters[1].id);
    EXPECT_EQ(letters[1].payload, R"({"id":"e2"})");
    EXPECT_EQ(letters[1].reason, "max_attempts");
    EXPECT_EQ(letters[1].given_up_at, noon + 1s);
    const Result<std::int64_t> last = other.wait(other.letters.last_id());
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(*last, letters[2].id);
}

TEST_F(NatsDeadLettersTest, tell_whoever_gave_up_the_event_once_it_is_stored) {
    Process process(server_.url());
    std::atomic<int> kept = 0;
    DeadLetter given = letter("e1");
    given.on_kept = [&](const Event& event) { kept += event.id() == "e1" ? 1 : 100; };

    process.letters.put(std::move(given));

    EXPECT_TRUE(soon([&] { return kept == 1; }));
    EXPECT_EQ(process.ids(), Ids{"e1"});
}

TEST_F(NatsDeadLettersTest, are_stored_once_if_two_processes_give_up_the_same_event) {
    Process one(server_.url());
    Process other(server_.url());

    one.put_all({"e1"});
    other.put_all({"e1"});

    EXPECT_EQ(one.ids(), Ids{"e1"});
}

TEST_F(NatsDeadLettersTest, come_page_by_page) {
    Process process(server_.url());
    Ids all;
    for (int i = 0; i < 45; ++i) all.push_back("e" + std::to_string(i));
    process.put_all(all);

    Ids found;
    LetterRange page;
    page.letters_max = 20;
    for (;;) {
        const std::vector<StoredLetter> letters = process.read(page);
        if (letters.empty()) break;
        for (const StoredLetter& stored : letters) found.push_back(stored.event_id);
        page.after = letters.back().id;
    }

    std::sort(all.begin(), all.end());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, all);
}

TEST_F(NatsDeadLettersTest, come_as_much_as_their_payload_allows) {
    Process process(server_.url());
    for (const char* id : {"e1", "e2", "e3"}) process.letters.put(letter(id, "audit", 1000));
    ASSERT_TRUE(process.has_stored(3));
    LetterRange small;
    small.with_payload = true;
    small.payload_bytes_max = 2000;

    EXPECT_EQ(process.read(small).size(), 2U);
    small.payload_bytes_max = 1;
    EXPECT_EQ(process.read(small).size(), 1U);
}

TEST_F(NatsDeadLettersTest, are_told_apart_by_endpoint_reason_time_and_id) {
    Process process(server_.url());
    process.put_all({"e1", "e2"}, "audit");
    process.put_all({"e3"}, "team.billing_2");
    DeadLetter late = letter("e4");
    late.reason = DeadReason::gone;
    late.given_up_at = noon + 1h;
    process.letters.put(std::move(late));
    ASSERT_TRUE(process.has_stored(4));
    LetterFilter gone;
    gone.reason = "gone";
    LetterFilter recent;
    recent.since = noon + 1h;

    EXPECT_EQ(process.ids(range(of("team.billing_2"))), Ids{"e3"});
    EXPECT_EQ(process.ids(range(of("audit"))).size(), 3U);
    EXPECT_EQ(process.ids(range(of("nobody"))), Ids{});
    EXPECT_EQ(process.ids(range(gone)), Ids{"e4"});
    EXPECT_EQ(process.ids(range(recent)), Ids{"e4"});
    const std::int64_t last = process.read(range(of("audit"))).back().id;
    EXPECT_EQ(process.ids(range(by_id(last))), Ids{"e4"});
    EXPECT_EQ(process.ids(range(by_id(4711))), Ids{});
}

TEST_F(NatsDeadLettersTest, are_purged_by_id_endpoint_reason_or_all) {
    Process process(server_.url());
    process.put_all({"e1", "e2", "e3"}, "audit");
    process.put_all({"e4", "e5"}, "billing");
    LetterFilter permanent;
    permanent.reason = "permanent";
    const std::int64_t first = process.read().front().id;

    EXPECT_EQ(process.purge(by_id(first)), 1);
    EXPECT_EQ(process.purge(by_id(first)), 0);
    EXPECT_EQ(process.purge(by_id(4711)), 0);
    EXPECT_EQ(process.purge(permanent), 0);
    EXPECT_EQ(process.purge(of("audit")), 2);
    permanent.reason = "max_attempts";
    EXPECT_EQ(process.purge(permanent), 2);
    process.put_all({"e6", "e7"});
    EXPECT_EQ(process.purge({}), 2);
    EXPECT_EQ(process.ids(), Ids{});
    EXPECT_EQ(process.letters.counts().purged, 7U);
}

TEST_F(NatsDeadLettersTest, are_neither_purged_nor_replayed_again_while_they_are_replayed) {
    Process process(server_.url());
    process.put_all({"e1"});
    process.put_all({"e2"});
    const std::int64_t first = process.read().front().id;

    EXPECT_TRUE(process.letters.begin_replay(first));
    EXPECT_FALSE(process.letters.begin_replay(first));
    EXPECT_EQ(process.purge(by_id(first)), 0);
    EXPECT_EQ(process.purge({}), 1);
    process.letters.keep({&first, 1});
    EXPECT_TRUE(process.letters.begin_replay(first));

    EXPECT_EQ(process.ids(), Ids{"e1"});
}

TEST_F(NatsDeadLettersTest, go_once_their_events_have_come_to_an_end) {
    Process process(server_.url());
    process.put_all({"e1"});
    process.put_all({"e2"});
    const std::vector<std::int64_t> letters = {process.read().front().id, 4711};
    ASSERT_TRUE(process.letters.begin_replay(letters[0]));

    process.letters.discard(letters);

    EXPECT_EQ(process.wait(process.letters.flush(10s)), 0U);
    EXPECT_EQ(process.ids(), Ids{"e2"});
    EXPECT_EQ(process.letters.counts().replayed, 1U);
}

TEST_F(NatsDeadLettersTest, go_oldest_first_where_there_is_no_more_room) {
    NatsDeadLetters::Options options;
    options.bytes_max = 50'000;
    options.look_interval = 20ms;
    Process process(server_.url(), options);
    Process looker(server_.url(), options);

    for (int i = 0; i < 100; ++i) {
        process.letters.put(letter("e" + std::to_string(i), "audit", 2000));
        ASSERT_TRUE(process.has_stored(static_cast<std::uint64_t>(i) + 1));
        if (i == 10) {
            EXPECT_EQ(looker.nearly_full_lines(), 0);
        }
    }
    EXPECT_TRUE(soon([&] { return looker.nearly_full_lines() == 1; }));

    const Ids left = process.ids();
    EXPECT_GT(left.size(), 10U);
    EXPECT_LT(left.size(), 25U);
    EXPECT_EQ(left.back(), "e99");
    EXPECT_TRUE(soon([&] { return looker.letters.counts().kept.letters == left.size(); }));
    EXPECT_GT(looker.letters.counts().kept.bytes, 20'000U);
}

TEST_F(NatsDeadLettersTest, are_lost_if_one_alone_is_larger_than_all_that_may_be_kept) {
    NatsDeadLetters::Options options;
    options.bytes_max = 50'000;
    Process process(server_.url(), options);

    process.letters.put(letter("huge", "audit", 60'000));
    process.put_all({"e1"});

    EXPECT_EQ(process.ids(), Ids{"e1"});
    EXPECT_EQ(process.letters.counts().lost.at(static_cast<std::size_t>(LostReason::too_large)),
              1U);
}

/// The server takes messages of 1 MiB.
TEST_F(NatsDeadLettersTest, are_lost_if_no_message_holds_them_and_do_not_hold_up_others) {
    Process process(server_.url());
    std::atomic<int> kept = 0;
    DeadLetter huge = letter("huge", "audit", std::size_t{2} * 1024 * 1024);
    huge.on_kept = [&](const Event&) { ++kept; };

    process.letters.put(std::move(huge));
    process.letters.put(letter("e1"));

    EXPECT_TRUE(process.has_stored(1));
    EXPECT_TRUE(soon([&] { return kept == 1; }));
    EXPECT_EQ(process.ids(), Ids{"e1"});
}

TEST_F(NatsDeadLettersTest, wait_for_a_server_that_is_not_there_at_the_start) {
    server_.kill();
    Process process(server_.url());
    for (const char* id : {"e1", "e2", "e3"}) process.letters.put(letter(id));
    EXPECT_TRUE(process.wait(process.letters.read({})).has_error());
    EXPECT_EQ(process.purge({}), -1);
    EXPECT_EQ(process.wait(process.letters.flush(10ms)), 3U);

    server_.start();

    EXPECT_TRUE(process.has_stored(3));
    EXPECT_EQ(process.ids().size(), 3U);
}

TEST_F(NatsDeadLettersTest, wait_while_the_server_is_gone) {
    Process process(server_.url());
    process.put_all({"e1"});
    const std::vector<std::int64_t> letters = {process.read().front().id};
    server_.kill();
    for (const char* id : {"e2", "e3"}) process.letters.put(letter(id));
    process.letters.discard(letters);

    server_.start();

    EXPECT_EQ(process.wait(process.letters.flush(20s)), 0U);
    Ids ids = process.ids();
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (Ids{"e2", "e3"}));
}

TEST_F(NatsDeadLettersTest, lose_the_oldest_while_they_wait_beyond_the_bound_for_that) {
    server_.kill();
    NatsDeadLetters::Options options;
    options.waiting_bytes_max = 10'000;
    Process process(server_.url(), options);
    std::atomic<int> let_go = 0;
    for (int i = 0; i < 10; ++i) {
        DeadLetter given = letter("e" + std::to_string(i), "audit", 2000);
        given.on_kept = [&](const Event&) { ++let_go; };
        process.letters.put(std::move(given));
    }
    const auto lost = [&] {
        return process.letters.counts().lost.at(static_cast<std::size_t>(LostReason::backlog));
    };
    EXPECT_EQ(lost(), 7U);
    EXPECT_EQ(let_go, 7);

    server_.start();

    EXPECT_TRUE(process.has_stored(3));
    Ids ids = process.ids();
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (Ids{"e7", "e8", "e9"}));
    EXPECT_TRUE(soon([&] { return let_go == 10; }));
}

TEST_F(NatsDeadLettersTest, make_their_stream_again_if_somebody_has_deleted_it) {
    Process process(server_.url());
    process.put_all({"e1"});
    SteadyClock clock;
    Log log{LogOptions{.level = LogLevel::critical, .format = LogFormat::text}};
    NatsConnectionOptions options;
    options.servers = {server_.url()};
    NatsConnection connection(clock, log, options);
    connection.start();
    JetStream js(connection);
    ASSERT_TRUE(soon([&] { return connection.is_connected(); }));
    std::atomic<bool> is_deleted = false;
    js.delete_stream("fanfare_dead",
                     [&](JsResult<bool> result) { is_deleted = result.has_value(); });
    ASSERT_TRUE(soon([&] { return is_deleted.load(); }));

    process.letters.put(letter("e2"));

    EXPECT_TRUE(process.has_stored(2));
    EXPECT_EQ(process.ids(), Ids{"e2"});
}

}  // namespace
}  // namespace fanfare
