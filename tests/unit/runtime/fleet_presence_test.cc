// Who is there, and what is configured where.
#include <gmock/gmock.h>

#include "fleet_support.h"

namespace fanfare::test {
namespace {

using FleetPresenceTest = FleetTest;

TEST_F(FleetPresenceTest, see_each_other) {
    poll();

    const FleetView view = a_.fleet.view();

    ASSERT_EQ(view.replicas.size(), 2U);
    EXPECT_TRUE(view.replicas[0].is_self);
    EXPECT_EQ(view.replicas[1].id, "b");
    EXPECT_EQ(view.replicas[1].host, "host");
    EXPECT_TRUE(view.mismatches.empty());
}

TEST_F(FleetPresenceTest, are_gone_after_a_silence_and_erased_by_the_others_later) {
    poll();
    b_.board.is_cut_off = true;

    advance(Fleet::silence_max + 1s);
    EXPECT_EQ(a_.fleet.view().replicas.size(), 1U);
    EXPECT_TRUE(board_.texts.contains("replica.b"));
    advance(2min);

    EXPECT_FALSE(board_.texts.contains("replica.b"));
    EXPECT_TRUE(board_.texts.contains("replica.a"));
}

TEST_F(FleetPresenceTest, do_not_take_for_alive_who_was_gone_before_they_started) {
    poll();
    a_.board.is_cut_off = true;
    b_.board.is_cut_off = true;
    advance(Fleet::silence_max + 1s);

    Process c(board_, "c");
    c.pipeline.poll();

    EXPECT_EQ(c.fleet.view().replicas.size(), 1U);
    EXPECT_EQ(c.fleet.endpoints(), Strings{"audit"});
}

TEST_F(FleetPresenceTest, know_of_who_showed_itself_a_moment_before_they_started) {
    poll();
    a_.board.is_cut_off = true;
    b_.board.is_cut_off = true;
    advance(Fleet::beat);

    Process c(board_, "c");
    c.pipeline.poll();

    const FleetView view = c.fleet.view();
    ASSERT_EQ(view.replicas.size(), 3U);
    EXPECT_EQ(view.replicas[1].last_seen, Fleet::beat);
    c.pipeline.advance(Fleet::silence_max - Fleet::beat + 1s);
    EXPECT_EQ(c.fleet.view().replicas.size(), 1U);
}

TEST_F(FleetPresenceTest, need_no_clocks_that_agree) {
    poll();
    for (const Duration step : {Duration(-1h), Duration(2h)}) {
        b_.pipeline.clock.step_wall(step);
        board_.now -= std::chrono::duration_cast<WallTime::duration>(step);
        for (int i = 0; i < 3; ++i) advance(Fleet::beat);

        EXPECT_EQ(a_.fleet.view().replicas.size(), 2U);
        EXPECT_EQ(b_.fleet.view().replicas.size(), 2U);
    }
}

TEST_F(FleetPresenceTest, show_themselves_as_soon_as_the_board_can_be_reached) {
    Process c(board_, "c", Process::Reads::once_connected);
    poll();
    EXPECT_EQ(a_.fleet.view().replicas.size(), 2U);

    c.board.is_cut_off = false;
    c.board.read();
    c.pipeline.poll();
    poll();

    EXPECT_EQ(a_.fleet.view().replicas.size(), 3U);
    EXPECT_EQ(c.fleet.view().replicas.size(), 3U);
}

TEST_F(FleetPresenceTest, show_themselves_as_soon_as_the_board_can_be_reached_again) {
    b_.board.is_cut_off = true;
    advance(Fleet::silence_max + 1s);
    ASSERT_EQ(a_.fleet.view().replicas.size(), 1U);

    b_.board.is_cut_off = false;
    b_.board.read();
    poll();
    poll();

    EXPECT_EQ(a_.fleet.view().replicas.size(), 2U);
    EXPECT_EQ(b_.fleet.view().replicas.size(), 2U);
}

TEST_F(FleetPresenceTest, stay_while_they_show_themselves) {
    for (int i = 0; i < 20; ++i) advance(Fleet::beat);

    EXPECT_EQ(a_.fleet.view().replicas.size(), 2U);
}

TEST_F(FleetPresenceTest, say_goodbye) {
    b_.fleet.leave();
    advance(1min);

    EXPECT_EQ(a_.fleet.view().replicas.size(), 1U);
    EXPECT_FALSE(board_.texts.contains("replica.b"));
}

TEST_F(FleetPresenceTest, notice_that_an_endpoint_is_configured_differently) {
    b_.fleet.take({{"audit", "two", 1s}});
    poll();
    poll();

    const FleetView view = a_.fleet.view();
    ASSERT_EQ(view.mismatches.size(), 1U);
    EXPECT_EQ(view.mismatches[0].endpoint, "audit");
    EXPECT_EQ(view.mismatches[0].replicas, Strings{"b"});
    EXPECT_EQ(a_.pipeline.log_count("not configured alike"), 1U);

    b_.fleet.take({{"audit", "one", 1s}});
    poll();
    poll();
    EXPECT_TRUE(a_.fleet.view().mismatches.empty());
    EXPECT_EQ(a_.pipeline.log_count("configured alike everywhere again"), 1U);
}

TEST_F(FleetPresenceTest, notice_that_an_endpoint_is_missing_somewhere) {
    b_.fleet.take({});
    poll();
    poll();

    EXPECT_EQ(a_.fleet.view().mismatches.at(0).without, Strings{"b"});
    EXPECT_EQ(b_.fleet.view().mismatches.at(0).without, Strings{"b"});
    EXPECT_TRUE(b_.fleet.view().mismatches.at(0).replicas.empty());
    EXPECT_EQ(b_.fleet.endpoints(), Strings{"audit"}) << "some process has it";
}

TEST_F(FleetPresenceTest, name_all_that_do_not_have_an_endpoint) {
    Process c(board_, "c");
    c.fleet.take({{"audit", "one", 1s}, {"more", "one", 1s}});
    c.pipeline.poll();
    poll();

    for (const Process* process : {&a_, &b_, &c}) {
        const FleetView view = process->fleet.view();
        ASSERT_EQ(view.mismatches.size(), 1U);
        EXPECT_EQ(view.mismatches[0].endpoint, "more");
        EXPECT_TRUE(view.mismatches[0].replicas.empty());
        EXPECT_THAT(view.mismatches[0].without, testing::UnorderedElementsAre("a", "b"));
    }
}

TEST_F(FleetPresenceTest, notice_that_an_endpoint_they_do_not_have_is_configured_differently) {
    Process c(board_, "c");
    b_.fleet.take({{"audit", "one", 1s}, {"more", "one", 1s}});
    c.fleet.take({{"audit", "one", 1s}, {"more", "two", 1s}});
    c.pipeline.poll();
    poll();
    poll();

    const FleetView view = a_.fleet.view();
    ASSERT_EQ(view.mismatches.size(), 1U);
    EXPECT_EQ(view.mismatches[0].replicas, Strings{"c"});
    EXPECT_EQ(view.mismatches[0].without, Strings{"a"});
}

TEST_F(FleetPresenceTest, notice_that_the_queue_is_configured_differently) {
    a_.fleet.take({{"audit", "one", 1s}}, {{"queue.max_age", "0s"}, {"queue.replicas", "3"}});
    b_.fleet.take({{"audit", "one", 1s}}, {{"queue.max_age", "0s"}, {"queue.replicas", "1"}});
    poll();
    poll();

    const FleetView view = a_.fleet.view();
    ASSERT_EQ(view.mismatches.size(), 1U);
    EXPECT_EQ(view.mismatches[0].endpoint, "");
    EXPECT_EQ(view.mismatches[0].settings, Strings{"queue.replicas"});
    EXPECT_EQ(view.mismatches[0].replicas, Strings{"b"});
    EXPECT_TRUE(view.mismatches[0].without.empty());
    EXPECT_EQ(view.replicas[1].queue.at("queue.replicas"), "1");
    EXPECT_EQ(a_.pipeline.log_count("the queue is not configured alike"), 1U);
    EXPECT_EQ(a_.pipeline.log_count("endpoints are not configured alike"), 0U);

    b_.fleet.take({{"audit", "one", 1s}}, {{"queue.max_age", "0s"}, {"queue.replicas", "3"}});
    poll();
    poll();
    EXPECT_TRUE(a_.fleet.view().mismatches.empty());
    EXPECT_EQ(a_.pipeline.log_count("the queue is configured alike everywhere again"), 1U);
}

TEST_F(FleetPresenceTest, do_not_miss_settings_of_the_queue_where_an_older_one_says_none) {
    a_.fleet.take({{"audit", "one", 1s}}, {{"queue.replicas", "3"}});
    poll();
    poll();

    EXPECT_EQ(board_.texts["replica.b"].find("queue"), std::string::npos);
    EXPECT_EQ(a_.fleet.view().replicas.size(), 2U);
    EXPECT_TRUE(a_.fleet.view().mismatches.empty());
    EXPECT_TRUE(b_.fleet.view().mismatches.empty());
}

TEST_F(FleetPresenceTest, are_not_troubled_by_what_they_do_not_understand) {
    FakeBoard::Client somebody(board_);
    somebody.put("replica.x", "{");
    somebody.put("hold.audit", "[]");
    somebody.put("something.new", "1");
    poll();

    EXPECT_EQ(a_.fleet.view().replicas.size(), 2U);
    EXPECT_EQ(a_.pipeline.log_count("not understood"), 2U);
}

}  // namespace
}  // namespace fanfare::test
