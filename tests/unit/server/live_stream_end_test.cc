// How a live stream comes to its end, and who is told why.
#include <gtest/gtest.h>

#include "stream_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

class EndOfStreams : public StreamBench {
  protected:
    EndOfStreams() { use(options_); }

    /// A stream whose reader has taken the hello and nothing since: `events` wait, one is on its
    /// way.
    std::unique_ptr<OpenStream> open_stuck(std::size_t events = 0) {
        std::unique_ptr<OpenStream> stream = open();
        EXPECT_EQ(stream->take(), "hello");
        stream->reader.is_held = true;
        add(1);
        add(events);
        return stream;
    }

    static StreamsOptions options_of_tests() {
        StreamsOptions options;
        options.lag_max = 10;
        options.write_timeout = 1h;
        options.heartbeat = 0s;
        return options;
    }

    StreamsOptions options_ = options_of_tests();
};

TEST_F(EndOfStreams, send_away_who_stays_too_far_behind_and_say_so) {
    const auto stream = open_stuck(11);

    advance(2s);  // a look at which it is too far behind, and one at which it still is
    EXPECT_FALSE(stream->is_ended());
    stream->reader.release();
    poll();

    EXPECT_EQ(stream->take(), "1 close:slow_consumer");
    EXPECT_TRUE(stream->is_ended());
    EXPECT_FALSE(stream->reader.is_cut);
    EXPECT_EQ(closed(StreamEnd::slow_consumer), 0U) << "counted once its place is free";
    stream->response.stream = nullptr;
    EXPECT_EQ(closed(StreamEnd::slow_consumer), 1U);
}

TEST_F(EndOfStreams, name_the_last_event_that_was_sent) {
    const auto stream = open_stuck(11);
    advance(2s);
    stream->reader.release();
    poll();

    const std::string text = stream->take_text();

    EXPECT_EQ(text.substr(text.find('\n') + 1),
              "{\"type\":\"close\",\"reason\":\"slow_consumer\",\"last_seq\":1}\n");
}

TEST_F(EndOfStreams, log_who_was_sent_away) {
    const auto stream = open_stuck(11);
    advance(2s);
    stream->reader.release();
    poll();

    const auto told = logged("stream ended");

    ASSERT_EQ(told.size(), 1U);
    for (const std::string part : {"warn", "stream=s-1", "peer=127.0.0.1:4711",
                                   "reason=slow_consumer", "lag=11", "sent=1"}) {
        EXPECT_NE(told[0].find(part), std::string::npos) << part << " in " << told[0];
    }
}

TEST_F(EndOfStreams, bear_who_is_as_far_behind_as_allowed) {
    const auto stream = open_stuck(10);

    advance(10s);
    stream->reader.release();
    poll();
    advance(20ms);

    EXPECT_EQ(stream->take(), "1 2 3 4 5 6 7 8 9 10 11");
}

TEST_F(EndOfStreams, bear_who_was_too_far_behind_for_a_moment) {
    const auto stream = open_stuck(30);

    advance(2s - 1ms);
    stream->reader.release();
    poll();
    advance(20ms);

    EXPECT_FALSE(stream->is_ended());
    EXPECT_EQ(hub.totals().lag_max, 0U);
}

TEST_F(EndOfStreams, forget_that_somebody_was_too_far_behind_once_he_has_caught_up) {
    const auto stream = open_stuck(30);
    advance(2s - 1ms);
    stream->reader.release();
    poll();
    advance(40ms);

    stream->reader.is_held = true;
    add(1);
    add(30);
    EXPECT_EQ(hub.totals().lag_max, 30U);
    advance(2s - 1ms);
    stream->reader.release();
    poll();
    advance(20ms);

    EXPECT_FALSE(stream->is_ended());
}

TEST_F(EndOfStreams, cut_off_who_does_not_even_take_what_is_on_its_way) {
    const auto stream = open_stuck(11);

    advance(3s - 1ms);
    EXPECT_FALSE(stream->reader.is_cut);
    advance(1ms);

    EXPECT_TRUE(stream->reader.is_cut);
    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(stream->take(), "");
    EXPECT_EQ(logged("reason=slow_consumer").size(), 1U);
}

TEST_F(EndOfStreams, add_up_how_long_somebody_is_behind_over_many_writes) {
    const auto stream = open_stuck(100);

    // Each write ends in time, but more comes than is taken.
    for (int i = 0; i < 3; ++i) {
        advance(900ms);
        add(100);
        stream->reader.let_one_through();
        poll();
    }
    EXPECT_TRUE(stream->take().ends_with(" 129"));
    stream->reader.let_one_through();
    poll();

    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(logged("reason=slow_consumer").size(), 1U);
    EXPECT_TRUE(stream->take().ends_with(" 192 193 close:slow_consumer"))
        << "what was read already is sent";
    EXPECT_EQ(hub.counts().events_sent, 193U);
}

TEST_F(EndOfStreams, do_not_hold_the_past_against_who_asked_for_it) {
    add(1000);
    const auto stream = open_without_beginning({.target = "/v1/events/stream?since=0"});
    stream->reader.is_held = true;
    stream->begin();

    for (int i = 0; i < 16; ++i) {
        advance(900ms);
        stream->reader.let_one_through();
        poll();
    }
    advance(1s);

    EXPECT_FALSE(stream->is_ended());
    EXPECT_TRUE(stream->take().ends_with(" 999 1000"));
}

TEST_F(EndOfStreams, allow_nobody_to_be_farther_behind_than_the_history_reaches) {
    keep(5);
    const auto stream = open_stuck(6);

    advance(3s);

    EXPECT_EQ(logged("reason=slow_consumer").size(), 1U);
}

TEST_F(EndOfStreams, cut_off_who_takes_nothing_for_the_write_timeout) {
    options_.write_timeout = 5s;
    use(options_);
    const auto stream = open_stuck();

    advance(5s - 1ms);
    EXPECT_FALSE(stream->reader.is_cut);
    advance(1ms);

    EXPECT_TRUE(stream->reader.is_cut);
    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(stream->take(), "") << "nothing can be told to who reads nothing";
    EXPECT_EQ(stream->reader.begun, 2U);
    const auto told = logged("reason=write_timeout");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find("warn"), std::string::npos);
    EXPECT_NE(told[0].find("sent=0"), std::string::npos) << told[0];
    stream->response.stream = nullptr;
    EXPECT_EQ(closed(StreamEnd::write_timeout), 1U);
}

TEST_F(EndOfStreams, keep_a_write_timeout_that_is_shorter_than_the_patience) {
    options_.write_timeout = 200ms;
    use(options_);
    const auto stream = open_stuck();

    advance(200ms);

    EXPECT_EQ(logged("reason=write_timeout").size(), 1U);
}

TEST_F(EndOfStreams, measure_each_write_by_itself) {
    options_.write_timeout = 5s;
    use(options_);
    const auto stream = open_stuck();

    for (int i = 0; i < 5; ++i) {
        advance(4s);
        stream->reader.release();
        poll();
        advance(20ms);
        stream->reader.is_held = true;
        add(1);
    }

    EXPECT_FALSE(stream->is_ended());
    EXPECT_EQ(stream->take(), "1 2 3 4 5");
}

TEST_F(EndOfStreams, measure_the_hello_as_any_write) {
    options_.write_timeout = 5s;
    use(options_);
    const auto stream = open_without_beginning({.target = "/v1/events/stream"});
    stream->reader.is_held = true;
    stream->begin();

    advance(5s);

    EXPECT_EQ(logged("reason=write_timeout").size(), 1U);
}

TEST_F(EndOfStreams, give_their_goodbye_a_second) {
    const auto stream = open();
    stream->take();
    stream->reader.is_held = true;
    EXPECT_EQ(kick("s-1"), 204);

    advance(1s - 1ms);
    EXPECT_FALSE(stream->reader.is_cut);
    advance(1ms);

    EXPECT_TRUE(stream->reader.is_cut);
    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(logged("reason=kicked").size(), 1U);
}

TEST_F(EndOfStreams, end_when_they_are_old) {
    options_.age_max = 1h;
    use(options_);
    const auto stream = open();

    advance(1h - 1ms);
    EXPECT_EQ(stream->take(), "hello");
    advance(1ms);

    EXPECT_EQ(stream->take(), "close:max_age");
    EXPECT_TRUE(stream->is_ended());
}

TEST_F(EndOfStreams, end_when_history_is_switched_off) {
    const auto stream = open();

    keep(0);

    EXPECT_EQ(stream->take(), "hello close:history_disabled");
    EXPECT_TRUE(stream->is_ended());
}

TEST_F(EndOfStreams, end_without_a_word_when_the_client_goes) {
    const auto stream = open();

    stream->reader.leave();
    poll();

    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(stream->take(), "hello");
    EXPECT_EQ(stream->reader.begun, 1U);
    EXPECT_EQ(logged("warn").size(), 0U) << "nobody must do anything about it";
    stream->response.stream = nullptr;
    EXPECT_EQ(closed(StreamEnd::client), 1U);
    EXPECT_EQ(open_streams(), 0U);
}

TEST_F(EndOfStreams, end_when_the_client_goes_in_the_midst_of_a_write) {
    const auto stream = open_stuck();

    stream->reader.leave();
    poll();

    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(logged("reason=client").size(), 1U);
    EXPECT_EQ(hub.counts().events_sent, 0U);
}

TEST_F(EndOfStreams, write_no_more_once_a_write_has_failed) {
    const auto stream = open();
    stream->reader.is_broken = true;

    add(1);

    EXPECT_TRUE(stream->is_ended());
    EXPECT_EQ(stream->reader.begun, 2U);
    EXPECT_EQ(logged("reason=client").size(), 1U);
}

TEST_F(EndOfStreams, count_one_that_has_failed_and_pass_on_why) {
    const auto stream = open();
    stream->reader.is_throwing = true;

    add(1);

    EXPECT_TRUE(stream->is_ended());
    EXPECT_THROW(stream->rethrow(), std::runtime_error);
    stream->response.stream = nullptr;
    EXPECT_EQ(closed(StreamEnd::failed), 1U);
}

TEST_F(EndOfStreams, give_a_place_back_that_was_never_used) {
    auto stream = open_without_beginning({.target = "/v1/events/stream"});
    EXPECT_EQ(open_streams(), 1U);

    stream->response.stream = nullptr;

    EXPECT_EQ(open_streams(), 0U);
    EXPECT_EQ(closed(StreamEnd::client), 1U);
}

}  // namespace
}  // namespace fanfare::test
