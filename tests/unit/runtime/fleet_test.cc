// Processes that work off the same queue, and what they tell each other.
#include "fleet_support.h"
#include "support/fake_log_link.h"

namespace fanfare::test {
namespace {

TEST_F(FleetTest, pause_and_resume_together) {
    a_.fleet.pause("audit");
    poll();
    EXPECT_TRUE(a_.snapshot().is_paused);
    EXPECT_TRUE(b_.snapshot().is_paused);

    b_.fleet.resume("audit");
    poll();
    EXPECT_FALSE(a_.snapshot().is_paused);
    EXPECT_FALSE(b_.snapshot().is_paused);
}

TEST_F(FleetTest, pause_who_comes_later) {
    a_.fleet.pause("audit");
    poll();

    Process c(board_, "c");
    c.pipeline.poll();

    EXPECT_TRUE(c.snapshot().is_paused);
}

TEST_F(FleetTest, deliver_nothing_before_they_know_what_is_paused) {
    a_.fleet.pause("audit");
    poll();
    Process c(board_, "c", Process::Reads::later);
    c.write("1");
    EXPECT_EQ(c.receiver.attempts, 0U);

    c.board.read();
    c.pipeline.poll();

    EXPECT_TRUE(c.snapshot().is_paused);
    EXPECT_EQ(c.snapshot().hold_left, Duration::zero());
    EXPECT_EQ(c.receiver.attempts, 0U);
}

TEST_F(FleetTest, begin_to_deliver_once_they_know_that_nothing_is_paused) {
    Process c(board_, "c", Process::Reads::later);
    c.write("1");

    c.board.read();
    c.pipeline.poll();

    EXPECT_EQ(c.receiver.attempts, 1U);
}

TEST_F(FleetTest, begin_to_deliver_after_a_while_if_the_board_cannot_be_read) {
    Process c(board_, "c", Process::Reads::later);
    c.write("1");

    c.pipeline.advance(Fleet::first_hold);

    EXPECT_EQ(c.receiver.attempts, 1U);
}

TEST_F(FleetTest, hold_an_endpoint_that_comes_when_another_has_found_it_broken) {
    break_a();
    b_.fleet.take({});
    poll();
    b_.audit->hold(Fleet::first_hold);

    b_.fleet.take({{"audit", "one", 1s}});
    poll();
    poll();

    EXPECT_GT(b_.snapshot().hold_left, 10s);
    EXPECT_LT(b_.snapshot().hold_left, Fleet::first_hold);
}

TEST_F(FleetTest, say_again_what_was_lost) {
    a_.board.is_cut_off = true;
    a_.fleet.pause("audit");
    poll();
    a_.board.is_cut_off = false;
    advance(Fleet::beat);
    EXPECT_TRUE(b_.snapshot().is_paused);

    a_.board.is_cut_off = true;
    a_.fleet.resume("audit");
    poll();
    a_.board.is_cut_off = false;
    advance(Fleet::beat);

    EXPECT_FALSE(b_.snapshot().is_paused);
    b_.fleet.pause("audit");
    advance(2 * Fleet::beat);
    EXPECT_TRUE(a_.snapshot().is_paused) << "it is not said again for ever";
}

TEST_F(FleetTest, leave_a_receiver_alone_that_another_has_found_broken) {
    break_a();

    b_.write("2");
    EXPECT_EQ(b_.receiver.attempts, 0U);
    EXPECT_GT(b_.snapshot().hold_left, 10s);
    // The one that has found out tries first, and tells again.
    advance(10s);
    EXPECT_EQ(a_.receiver.attempts, 3U);
    advance(9s);
    EXPECT_EQ(b_.receiver.attempts, 0U);
}

TEST_F(FleetTest, go_on_once_it_takes_events_again) {
    break_a();
    b_.write("2");

    a_.receiver.answer = Outcome::delivered(200);
    advance(10s);

    EXPECT_EQ(a_.receiver.actions().size(), 1U);
    EXPECT_EQ(b_.receiver.actions().size(), 1U);
    EXPECT_EQ(b_.snapshot().hold_left, Duration::zero());
}

TEST_F(FleetTest, try_by_themselves_if_who_found_it_broken_is_gone) {
    break_a();
    b_.write("2");
    a_.board.is_cut_off = true;

    advance(10s + 1s + 2 * Fleet::hold_grace);

    EXPECT_EQ(b_.receiver.attempts, 1U);
}

TEST_F(FleetTest, resume_ends_what_another_has_found) {
    break_a();
    b_.write("2");

    a_.fleet.resume("audit");
    poll();

    EXPECT_EQ(b_.receiver.attempts, 1U);
}

TEST_F(FleetTest, do_not_believe_a_hold_that_is_over) {
    break_a();

    Process c(board_, "c");
    c.pipeline.poll();
    EXPECT_GT(c.snapshot().hold_left, Duration::zero());

    Process d(board_, "d");
    d.pipeline.clock.advance(1h, d.pipeline.context);
    EXPECT_EQ(d.snapshot().hold_left, Duration::zero());
}

/// Two processes and the places in a log of two endpoints, one of which only `b` has.
class FleetPlacesTest : public FleetTest {
  protected:
    FleetPlacesTest() {
        b_.fleet.take({{"audit", "one", 1s}, {"old", "one", 1s}});
        log_.open({"audit", 1, false});
        log_.open({"old", 1, false});
        a_.fleet.keep_places(link_, 24min);
        poll();
    }

    ManualClock clock_;
    net::io_context context_;
    FakeSharedLog log_{clock_, context_};
    FakeLogLink link_{log_};
};

TEST_F(FleetPlacesTest, are_kept_while_some_process_has_the_endpoint) {
    advance(48min, 5s);

    EXPECT_EQ(log_.places.size(), 2U);
    EXPECT_FALSE(board_.texts.contains("removed.old"));
}

TEST_F(FleetPlacesTest, go_when_nobody_has_had_the_endpoint_for_long) {
    b_.fleet.take({{"audit", "one", 1s}});
    advance(2min, 5s);
    EXPECT_TRUE(board_.texts.contains("removed.old"));
    advance(21min, 5s);
    EXPECT_TRUE(log_.places.contains("old"));

    advance(3min, 5s);

    EXPECT_FALSE(log_.places.contains("old"));
    EXPECT_TRUE(log_.places.contains("audit"));
    EXPECT_FALSE(board_.texts.contains("removed.old"));
}

TEST_F(FleetPlacesTest, are_kept_for_what_comes_back) {
    b_.fleet.take({{"audit", "one", 1s}});
    advance(22min, 5s);
    b_.fleet.take({{"audit", "one", 1s}, {"old", "one", 1s}});
    advance(22min, 5s);
    EXPECT_FALSE(board_.texts.contains("removed.old"));

    b_.fleet.take({{"audit", "one", 1s}});
    advance(22min, 5s);

    EXPECT_TRUE(log_.places.contains("old")) << "its time has begun anew";
}

TEST_F(FleetPlacesTest, are_left_alone_while_they_cannot_be_told) {
    b_.fleet.take({{"audit", "one", 1s}});
    link_.cut_off();

    advance(48min, 5s);

    EXPECT_EQ(log_.places.size(), 2U);
}

}  // namespace
}  // namespace fanfare::test
