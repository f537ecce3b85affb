// What a journal does while there is no room.
#include "journal_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

TEST_F(Journals, go_on_acknowledging_when_the_store_is_full) {
    append(1);
    poll();
    fill_store();

    append(2);
    append(3);
    acknowledge(1);
    poll();

    EXPECT_EQ(results_, (Results{{1, Appended::stored}, {2, Appended::full}, {3, Appended::full}}));
    EXPECT_EQ(store_.endpoints()[0].pending.events, 0U);
    EXPECT_EQ(append(4), Intake::full);
    EXPECT_EQ(journal_->counts().full_since, clock_.now());
}

TEST_F(Journals, take_appends_again_once_there_is_room) {
    append(1);
    poll();
    fill_store();
    append(2);
    poll();
    advance(10s);
    EXPECT_EQ(append(3), Intake::full) << "nothing has become free";

    store_.room = true;
    store_.before_commit = nullptr;
    acknowledge(1);
    advance(100ms);

    EXPECT_EQ(append(3), Intake::taken);
    EXPECT_EQ(append(4), Intake::full) << "one finds out for all";
    poll();
    EXPECT_EQ(results_.back(), std::make_pair(std::uint64_t{3}, Appended::stored));
    EXPECT_EQ(append(4), Intake::taken);
    EXPECT_FALSE(journal_->counts().full_since.has_value());
    poll();
}

TEST_F(Journals, try_acknowledgements_again_that_found_no_room) {
    append(1);
    poll();
    store_.before_commit = [](const Changes&) { throw StoreFull("not even that"); };
    acknowledge(1);
    note_progress(1, 3);
    advance(100ms);
    EXPECT_EQ(journal_->counts().full_commits, 1U);
    advance(499ms);
    EXPECT_EQ(journal_->counts().full_commits, 1U) << "not all the time";
    advance(1ms);
    EXPECT_EQ(journal_->counts().full_commits, 2U);

    store_.before_commit = nullptr;
    advance(500ms);

    EXPECT_EQ(store_.endpoints()[0].pending.events, 0U);
    EXPECT_EQ(store_.commits.back().progress, 1U);
}

TEST_F(Journals, do_not_try_to_clean_up_all_the_time_when_there_is_no_room) {
    append(1);
    poll();
    store_.garbage = 1;
    store_.before_commit = [](const Changes&) { throw StoreFull("not even that"); };
    acknowledge(1);

    advance(1s);

    EXPECT_LE(journal_->counts().full_commits, 3U);
    store_.before_commit = nullptr;
    advance(500ms);
    EXPECT_EQ(store_.garbage, 0U);
}

}  // namespace
}  // namespace fanfare::test
