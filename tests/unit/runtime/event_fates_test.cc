#include "runtime/event_fates.h"

#include <gtest/gtest.h>

namespace fanfare::test {
namespace {

TEST(EventFates, know_that_nothing_was_offered_at_first) {
    const EventFates fates;
    EXPECT_EQ(fates.of(1).state, EventState::not_offered);
    EXPECT_EQ(fates.of(1'000'000).state, EventState::not_offered);
}

TEST(EventFates, remember_what_was_noted_last) {
    EventFates fates;
    fates.note(1, EventState::pending);
    fates.note(2, EventState::ignored);
    fates.note(3, EventState::pending);
    fates.note(1, EventState::delivered);

    EXPECT_EQ(fates.of(1).state, EventState::delivered);
    EXPECT_EQ(fates.of(2).state, EventState::ignored);
    EXPECT_EQ(fates.of(3).state, EventState::pending);
    EXPECT_EQ(fates.of(4).state, EventState::not_offered);
}

TEST(EventFates, know_why_what_waited_was_dropped) {
    EventFates fates;
    fates.note(1, EventState::delivered);
    fates.note(2, EventState::pending);

    fates.all_dropped(DropReason::purged);

    EXPECT_EQ(fates.of(1).state, EventState::delivered);
    EXPECT_EQ(fates.of(1).reason, "");
    EXPECT_EQ(fates.of(2).state, EventState::dropped);
    EXPECT_EQ(fates.of(2).reason, "purged");
}

TEST(EventFates, forget_the_oldest) {
    EventFates fates;
    const std::uint64_t last = 5 * EventFates::seqs_max + 77;
    for (std::uint64_t seq = 1; seq <= last; ++seq) fates.note(seq, EventState::pending);

    EXPECT_EQ(fates.of(1).state, EventState::unknown);
    EXPECT_EQ(fates.of(last - 2 * EventFates::seqs_max).state, EventState::unknown);
    EXPECT_EQ(fates.of(last).state, EventState::pending);
    EXPECT_EQ(fates.of(last - EventFates::seqs_max + 1).state, EventState::pending);
    EXPECT_EQ(fates.of(last + 1).state, EventState::not_offered);
}

TEST(EventFates, do_not_take_the_old_for_the_new_after_a_jump) {
    EventFates fates;
    for (std::uint64_t seq = 1; seq <= EventFates::seqs_max; ++seq) {
        fates.note(seq, EventState::delivered);
    }
    const std::uint64_t far = 3 * EventFates::seqs_max + 5;

    fates.note(far, EventState::pending);

    for (std::uint64_t seq = far - EventFates::seqs_max / 2; seq < far; ++seq) {
        ASSERT_EQ(fates.of(seq).state, EventState::not_offered) << seq;
    }
    fates.note(far - EventFates::seqs_max / 2, EventState::delivered);
    EXPECT_EQ(fates.of(far - EventFates::seqs_max / 2).state, EventState::delivered);
    EXPECT_EQ(fates.of(far).state, EventState::pending);
}

TEST(EventFates, pass_over_what_is_too_old_to_be_noted) {
    EventFates fates;
    fates.note(10 * EventFates::seqs_max, EventState::pending);

    fates.note(1, EventState::delivered);

    EXPECT_EQ(fates.of(1).state, EventState::unknown);
    EXPECT_EQ(fates.of(10 * EventFates::seqs_max).state, EventState::pending);
}

}  // namespace
}  // namespace fanfare::test
