// The connection of a streamed answer.
#include "server/session_stream.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace fanfare::test {
namespace {

class SessionStreams : public testing::Test {
  protected:
    void poll() { ManualClock::poll(context_); }

    bool write(SessionStream& out, std::string_view text) { return run(context_, out.write(text)); }

    net::io_context context_{1};
    FakeWirePtr wire_ = std::make_shared<FakeWire>(context_.get_executor());
    FakeStream stream_{wire_};
    SessionStream chunked_{stream_, context_.get_executor(), true};
    SessionStream plain_{stream_, context_.get_executor(), false};
};

TEST_F(SessionStreams, send_each_text_as_a_chunk) {
    EXPECT_TRUE(write(chunked_, "hello"));
    EXPECT_TRUE(write(chunked_, std::string(26, 'x')));

    EXPECT_EQ(wire_->sent, "5\r\nhello\r\n1a\r\n" + std::string(26, 'x') + "\r\n");
}

TEST_F(SessionStreams, send_each_text_as_it_is_to_http_1_0) {
    EXPECT_TRUE(write(plain_, "hello\n"));
    EXPECT_TRUE(write(plain_, "again\n"));

    EXPECT_EQ(wire_->sent, "hello\nagain\n");
}

TEST_F(SessionStreams, do_not_end_the_body_with_an_empty_text) {
    EXPECT_TRUE(write(chunked_, ""));

    EXPECT_EQ(wire_->sent, "");
}

TEST_F(SessionStreams, end_the_body) {
    run(context_, then_true(chunked_.finish()));

    EXPECT_EQ(wire_->sent, "0\r\n\r\n");
    EXPECT_FALSE(wire_->is_closed) << "what the client has not read yet would be lost";
}

TEST_F(SessionStreams, end_the_body_to_http_1_0_with_the_connection_alone) {
    run(context_, then_true(plain_.finish()));

    EXPECT_EQ(wire_->sent, "");
    EXPECT_FALSE(wire_->is_closed);
}

TEST_F(SessionStreams, send_nothing_more_once_a_write_has_failed) {
    wire_->write_error = net::error::broken_pipe;
    EXPECT_FALSE(write(chunked_, "hello"));
    wire_->write_error = {};

    EXPECT_FALSE(write(chunked_, "again"));
    EXPECT_FALSE(write(chunked_, ""));
    run(context_, then_true(chunked_.finish()));

    EXPECT_EQ(wire_->sent, "") << "nobody may take the body for whole";
    EXPECT_TRUE(wire_->is_closed);
}

TEST_F(SessionStreams, cut_off_a_write_that_is_under_way) {
    wire_->is_blocked = true;
    Running<bool> writing(context_, chunked_.write("hello"));
    poll();
    EXPECT_FALSE(writing.is_done());

    chunked_.cut();
    poll();

    ASSERT_TRUE(writing.is_done());
    EXPECT_FALSE(writing.get());
    EXPECT_TRUE(wire_->is_closed);
}

TEST_F(SessionStreams, pass_over_what_the_client_says) {
    Running<void> watching(context_, chunked_.watch_client());
    wire_->answer(std::string(2000, 'x'));
    poll();
    EXPECT_EQ(wire_->incoming, "");
    EXPECT_FALSE(watching.is_done());
    EXPECT_FALSE(chunked_.has_client_gone());

    wire_->end(net::error::eof);
    poll();
}

TEST_F(SessionStreams, wake_whoever_writes_when_the_client_goes) {
    Running<void> watching(context_, chunked_.watch_client());
    Running<void> waiting(context_, chunked_.wakeup().wait());
    poll();
    EXPECT_FALSE(waiting.is_done());

    wire_->end(net::error::connection_reset);
    poll();

    EXPECT_TRUE(waiting.is_done());
    EXPECT_TRUE(watching.is_done());
    EXPECT_TRUE(chunked_.has_client_gone());
    EXPECT_FALSE(write(chunked_, "hello"));
    EXPECT_EQ(wire_->sent, "");
}

TEST_F(SessionStreams, wake_whoever_writes_when_the_server_stops) {
    Running<void> waiting(context_, chunked_.wakeup().wait());
    poll();

    chunked_.stop();
    poll();

    EXPECT_TRUE(waiting.is_done());
    EXPECT_TRUE(chunked_.is_stopping());
    EXPECT_TRUE(write(chunked_, "goodbye")) << "there is something to be said yet";
}

}  // namespace
}  // namespace fanfare::test
