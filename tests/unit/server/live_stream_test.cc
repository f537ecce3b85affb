// What a live stream tells, and when.
#include <gtest/gtest.h>

#include "stream_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

/// `1 2 3`, as OpenStream::take() would tell them.
std::string from_to(std::uint64_t first, std::uint64_t last) {
    std::string all;
    for (std::uint64_t seq = first; seq <= last; ++seq) {
        if (!all.empty()) all += ' ';
        all += std::to_string(seq);
    }
    return all;
}

class LiveStreams : public StreamBench {
  protected:
    void beat(Duration heartbeat) {
        StreamsOptions options;
        options.heartbeat = heartbeat;
        use(options);
    }
};

// S1.
TEST_F(LiveStreams, say_hello_before_there_is_any_event) {
    const auto stream = open();

    EXPECT_EQ(stream->take_text(), std::string(R"({"type":"hello","instance":")") + instance +
                                       R"(","stream":"s-1","lowest":1,"next":1,"start":1})" + "\n");
}

TEST_F(LiveStreams, tell_an_event_at_once) {
    const auto stream = open();
    stream->take();

    add(1);

    EXPECT_EQ(stream->take(), "1");
}

TEST_F(LiveStreams, tell_events_that_come_together_in_one_write) {
    const auto stream = open();

    add(3);

    EXPECT_EQ(stream->take(), "hello 1 2 3");
    EXPECT_EQ(stream->reader.begun, 2U);
}

TEST_F(LiveStreams, gather_what_comes_soon_after_an_event) {
    const auto stream = open();
    add(1);
    stream->take();

    add(1);
    advance(10ms);
    add(1);
    advance(9ms);
    EXPECT_EQ(stream->take(), "");
    advance(1ms);

    EXPECT_EQ(stream->take(), "2 3");
    EXPECT_EQ(stream->reader.begun, 3U) << "the hello, the first event, and the other two";
}

TEST_F(LiveStreams, tell_an_event_at_once_that_comes_after_the_pause) {
    const auto stream = open();
    add(1);
    advance(20ms);
    stream->take();

    add(1);

    EXPECT_EQ(stream->take(), "2");
}

TEST_F(LiveStreams, gather_as_long_again_after_what_was_gathered) {
    const auto stream = open();
    add(1);
    add(1);
    advance(20ms);
    stream->take();

    add(1);
    advance(19ms);
    EXPECT_EQ(stream->take(), "");
    advance(1ms);

    EXPECT_EQ(stream->take(), "3");
}

TEST_F(LiveStreams, do_not_pause_after_a_ping) {
    const auto stream = open();
    advance(15s);
    EXPECT_EQ(stream->take(), "hello ping");

    add(1);

    EXPECT_EQ(stream->take(), "1");
}

TEST_F(LiveStreams, send_the_past_in_slices_without_pausing_until_they_are_near) {
    add(200);
    const auto stream = open("since=0");

    EXPECT_EQ(stream->take(), "hello " + from_to(1, 192));
    EXPECT_EQ(stream->reader.begun, 3U);
    advance(20ms);
    EXPECT_EQ(stream->take(), from_to(193, 200));
}

TEST_F(LiveStreams, send_no_more_bytes_at_once_than_a_slice_and_an_event) {
    add(3, "push", '"' + std::string(40000, 'x') + '"');
    const auto stream = open("since=0");

    EXPECT_EQ(stream->take(), "hello 1 2 3") << "there is nothing to gather: slices are full";
    for (const std::string& text : stream->reader.texts) EXPECT_LT(text.size(), 65536 + 1000U);
}

// A loop that does not get its turn for a while must not take the pause for over at one place and
// for lasting at the next: then nobody would wake it.
TEST_F(LiveStreams, are_not_confused_by_time_that_passes_between_two_looks) {
    for (Duration step = 1ms; step < 40ms; step += 1ms) {
        const auto stream = open();
        hurried.per_look = step;
        add(1);
        hurried.per_look = 0ms;
        stream->take();

        add(1);
        advance(20ms);

        EXPECT_EQ(stream->take(), std::to_string(next_ - 1)) << step.count();
    }
}

// S4, in the one order that a test can choose.
TEST_F(LiveStreams, neither_miss_nor_repeat_where_past_and_present_meet) {
    add(3);
    const auto stream = open_without_beginning({.target = "/v1/events/stream?count=2"});
    add(1);
    stream->reader.is_held = true;
    stream->begin();
    add(2);

    stream->reader.release();
    advance(20ms);

    EXPECT_EQ(stream->take(), "hello 2 3 4 5 6");
}

// S5.
TEST_F(LiveStreams, do_not_wait_for_one_another) {
    const auto held = open();
    held->reader.is_held = true;
    const auto other = open();
    add(1);
    advance(1s);
    add(1);

    EXPECT_EQ(other->take(), "hello 1 2");
    held->reader.release();
    poll();
    advance(20ms);
    EXPECT_EQ(held->take(), "hello 1 2");
}

// S10.
TEST_F(LiveStreams, ping_whenever_they_were_silent_for_a_heartbeat) {
    const auto stream = open();
    stream->take();

    advance(15s - 1ms);
    EXPECT_EQ(stream->take(), "");
    advance(1ms);
    EXPECT_EQ(stream->take(), "ping");
    advance(15s);
    EXPECT_EQ(stream->take(), "ping");
}

TEST_F(LiveStreams, do_not_ping_while_events_come) {
    const auto stream = open();
    stream->take();

    for (int i = 0; i < 5; ++i) {
        advance(14s);
        add(1);
    }

    EXPECT_EQ(stream->take(), from_to(1, 5));
}

TEST_F(LiveStreams, do_not_ping_without_a_heartbeat) {
    beat(0s);
    const auto stream = open();

    advance(24h);

    EXPECT_EQ(stream->take(), "hello");
}

TEST_F(LiveStreams, tell_in_a_ping_where_they_are) {
    const auto stream = open("action=push");
    add(3, "pull");
    stream->take_text();

    advance(15s);

    EXPECT_EQ(stream->take_text(), "{\"type\":\"ping\",\"next\":4}\n");
}

// S9.
TEST_F(LiveStreams, move_a_browser_on_over_what_it_does_not_want) {
    const auto stream = open("format=sse&action=push");
    add(3, "pull");
    stream->take_text();

    advance(15s);
    EXPECT_EQ(stream->take_text(), std::string("id: ") + instance + ":3\n\n: ping\n\n");
    advance(15s);
    EXPECT_EQ(stream->take_text(), ": ping\n\n") << "nothing was skipped since";
}

TEST_F(LiveStreams, move_a_browser_on_after_a_thousand_that_it_does_not_want) {
    const auto stream = open("format=sse&action=push");
    stream->take_text();

    add(999, "pull");
    EXPECT_EQ(stream->take_text(), "");
    add(1, "pull");

    EXPECT_EQ(stream->take_text(), std::string("id: ") + instance + ":1000\n\n");
}

TEST_F(LiveStreams, count_anew_what_a_browser_does_not_want_after_an_event) {
    const auto stream = open("format=sse&action=push");
    add(999, "pull");
    add(1, "push");
    advance(20ms);
    stream->take_text();

    add(999, "pull");

    EXPECT_EQ(stream->take_text(), "");
}

TEST_F(LiveStreams, tell_of_a_gap_where_the_ring_has_overtaken_them) {
    keep(10);
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);
    add(30);

    stream->reader.release();
    poll();
    advance(20ms);

    EXPECT_EQ(stream->take(), "hello 1 gap:2-21 " + from_to(22, 31));
    EXPECT_EQ(gaps(GapReason::evicted), 1U);
    EXPECT_EQ(gaps(GapReason::restart), 0U);
}

TEST_F(LiveStreams, go_on_after_a_gap) {
    keep(2);
    const auto stream = open();
    add(1);
    add(10);
    advance(20ms);
    EXPECT_EQ(stream->take(), "hello 1 gap:2-9 10 11");

    advance(20ms);
    add(1);

    EXPECT_EQ(stream->take(), "12");
}

TEST_F(LiveStreams, tell_a_browser_of_a_gap_with_a_place_to_come_back_to) {
    keep(2);
    const auto stream = open("format=sse");
    add(1);
    stream->take_text();
    add(5);
    advance(20ms);

    const std::string text = stream->take_text();

    EXPECT_EQ(text.substr(0, text.find("\n\n")),
              std::string("id: ") + instance + ":4\nevent: gap\ndata: " +
                  R"({"type":"gap","from":2,"to":4,"missed":3,"reason":"evicted"})");
}

// S15.
TEST_F(LiveStreams, tell_of_a_gap_where_the_ring_was_made_smaller) {
    const auto stream = open();
    stream->reader.is_held = true;
    add(1);
    add(50);
    keep(10);

    stream->reader.release();
    poll();
    advance(20ms);

    EXPECT_EQ(stream->take(), "hello 1 gap:2-41 " + from_to(42, 51));
    EXPECT_FALSE(stream->is_ended());
}

TEST_F(LiveStreams, tell_of_a_gap_where_nothing_is_left) {
    const auto stream = open();
    add(1);
    add(2);
    HistoryOptions options = history.options();
    options.bytes_max = 1;
    history.resize(options);

    advance(20ms);

    EXPECT_EQ(stream->take(), "hello 1 gap:2-3");
}

TEST_F(LiveStreams, see_no_gap_in_numbers_that_no_event_got) {
    const auto stream = open();
    next_ = 10;

    add(1);

    EXPECT_EQ(stream->take(), "hello 10");
    EXPECT_EQ(gaps(GapReason::evicted), 0U);
}

TEST_F(LiveStreams, do_not_end_while_their_reader_waits_for_nothing) {
    const auto stream = open();

    advance(24h);

    EXPECT_FALSE(stream->is_ended());
    EXPECT_FALSE(stream->reader.is_cut);
}

}  // namespace
}  // namespace fanfare::test
