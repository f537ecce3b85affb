// What is told to those who store events in a log that several processes share.
#include "shared_support.h"

namespace fanfare::test {
namespace {

using SharedStores = SharedTest;

TEST_F(SharedStores, what_comes_of_an_append_is_told) {
    const std::vector<std::pair<Trouble, Stored>> cases = {
        {Trouble::none, Stored::stored},
        {Trouble::full, Stored::full},
        {Trouble::unavailable, Stored::unavailable},
        {Trouble::overloaded, Stored::overloaded},
    };
    for (const auto& [trouble, expected] : cases) {
        world_.log.trouble = trouble;
        first().results.clear();
        first().store("a");
        poll();
        EXPECT_EQ(first().results, std::vector{expected});
    }
    EXPECT_EQ(run(world_.context, first().broadcaster.snapshot()).ingested_events, 1U);
}

TEST_F(SharedStores, what_the_log_never_takes_is_refused) {
    world_.log.event_bytes_max = 10;
    first().store("a");
    poll();

    EXPECT_EQ(first().results, std::vector{Stored::refused});
}

TEST_F(SharedStores, nothing_is_stored_after_close) {
    first().broadcaster.close();
    first().store("a");
    EXPECT_FALSE(first().broadcaster.write_meta(make_event("m", "m", MediaType::meta)));
    poll();

    EXPECT_EQ(first().results, std::vector{Stored::closed});
    EXPECT_TRUE(world_.log.entries.empty());
}

TEST_F(SharedStores, numbers_are_those_of_the_log) {
    world_.log.last_seq = 9;
    const std::vector<std::shared_ptr<Event>> events = {make_event("a"), make_event("b")};
    std::optional<Broadcaster::Written> written;
    const auto note = [&](Stored, Broadcaster::Written w) { written = std::move(w); };

    first().broadcaster.store(events, note);
    poll();
    ASSERT_TRUE(written.has_value());
    EXPECT_EQ(written->first_seq, 10U);
    EXPECT_EQ(written->last_seq, 11U);
    EXPECT_TRUE(written->seqs.empty());

    const std::vector<std::shared_ptr<Event>> again = {make_event("c"), make_event("a")};
    first().broadcaster.store(again, note);
    poll();
    EXPECT_EQ(written->seqs, (std::vector<std::uint64_t>{12, 10}));
}

TEST_F(SharedStores, store_of_nothing_is_answered_when_all_before_is) {
    const auto note = [this](Stored result, Broadcaster::Written) {
        first().results.push_back(result);
    };
    first().broadcaster.store({}, note);
    EXPECT_EQ(first().results, std::vector{Stored::stored});

    first().results.clear();
    world_.log.trouble = Trouble::unavailable;
    first().store("a");
    first().broadcaster.store({}, note);
    world_.log.trouble = Trouble::none;
    first().store("b");
    first().broadcaster.store({}, note);
    EXPECT_TRUE(first().results.empty());
    poll();

    EXPECT_EQ(first().results, (std::vector{Stored::unavailable, Stored::unavailable,
                                            Stored::stored, Stored::unavailable}));
}

TEST_F(SharedStores, meta_events_are_not_more_than_a_thousand_on_their_way) {
    world_.log.trouble = Trouble::never_answers;
    unsigned taken = 0;
    while (taken < 5000 && first().broadcaster.write_meta(make_event("m", "m", MediaType::meta))) {
        ++taken;
    }

    EXPECT_EQ(taken, 1000U);
}

TEST_F(SharedStores, replays_of_one_letter_are_queued_once_and_of_two_twice) {
    const auto endpoint = first().add("audit", deliver, receiver_);
    poll();
    first().store("a");
    poll();
    for (const std::int64_t letter : {7, 7, 8}) {
        first().broadcaster.replay(endpoint, {{make_event("a"), letter}});
        poll();
    }

    EXPECT_EQ(receiver_.ids, (Strings{"a", "a", "a"}));
}

}  // namespace
}  // namespace fanfare::test
