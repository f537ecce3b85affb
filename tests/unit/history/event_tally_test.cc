#include "fanfare/event_tally.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

TEST(EventTallyTest, counts_by_source_and_action_the_most_frequent_first) {
    EventTally tally;
    tally.add(EventSource::http, "pull");
    tally.add(EventSource::meta, "push");
    for (int i = 0; i < 3; ++i) tally.add(EventSource::http, "push");
    tally.add(EventSource::http, "pull");
    tally.add(EventSource::replay, "");

    const auto pairs = tally.pairs();

    ASSERT_EQ(pairs.size(), 4U);
    EXPECT_EQ(pairs[0].source, EventSource::http);
    EXPECT_EQ(pairs[0].action, "push");
    EXPECT_EQ(pairs[0].count, 3U);
    EXPECT_EQ(pairs[1].action, "pull");
    EXPECT_EQ(pairs[1].count, 2U);
    EXPECT_EQ(pairs[2].source, EventSource::meta);
    EXPECT_EQ(pairs[3].source, EventSource::replay);
    EXPECT_EQ(tally.total(), 7U);
    EXPECT_EQ(tally.others(), 0U);
}

TEST(EventTallyTest, counts_new_pairs_beyond_its_bound_as_others) {
    EventTally tally;
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < EventTally::pairs_max + 10; ++i) {
            tally.add(EventSource::http, "action" + std::to_string(i));
        }
    }

    EXPECT_EQ(tally.pairs().size(), EventTally::pairs_max);
    EXPECT_EQ(tally.pairs().back().count, 2U);
    EXPECT_EQ(tally.others(), 20U);
    EXPECT_EQ(tally.total(), 2 * (EventTally::pairs_max + 10));
}

TEST(EventTallyTest, keeps_no_more_of_an_action_than_its_bound) {
    EventTally tally;
    const std::string begin(EventTally::action_bytes_max, 'a');
    tally.add(EventSource::http, begin + "b");
    tally.add(EventSource::http, begin + "c");

    ASSERT_EQ(tally.pairs().size(), 1U);
    EXPECT_LE(tally.pairs()[0].action.size(), EventTally::action_bytes_max);
    EXPECT_EQ(tally.pairs()[0].count, 2U);
}

}  // namespace
}  // namespace fanfare
