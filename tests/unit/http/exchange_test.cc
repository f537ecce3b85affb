#include "http/exchange.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "support/fake_network.h"
#include "support/run.h"

namespace fanfare {
namespace {

class ExchangeTest : public testing::Test {
  protected:
    ExchangeEnd run(const std::string& request = "request") {
        const std::array<net::const_buffer, 1> buffers = {net::buffer(request)};
        return test::run(context_, exchange(stream_, buffers, parser_, space_));
    }

    net::io_context context_{1};
    test::FakeWirePtr wire_ = std::make_shared<test::FakeWire>(context_.get_executor());
    test::FakeStream stream_{wire_};
    ResponseParser parser_;
    std::array<char, 7> space_;  // so that answers come in pieces
};

TEST_F(ExchangeTest, sends_the_request_and_reads_the_answer) {
    parser_.keep_body(true);
    wire_->answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");

    const ExchangeEnd end = run();

    EXPECT_FALSE(end.error);
    EXPECT_TRUE(end.is_reusable);
    EXPECT_EQ(wire_->sent, "request");
    EXPECT_EQ(parser_.status(), 200);
    EXPECT_EQ(parser_.body(), "hello");
}

TEST_F(ExchangeTest, starts_with_a_fresh_parser) {
    wire_->answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    run();
    wire_->answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    run();

    EXPECT_EQ(parser_.status(), 500);
}

TEST_F(ExchangeTest, does_not_reuse_a_connection_with_something_behind_the_answer) {
    wire_->answer("HTTP/1.1 204 No\r\n\r\n...");

    EXPECT_FALSE(run().is_reusable);
}

TEST_F(ExchangeTest, ends_a_body_without_length_with_the_connection) {
    parser_.keep_body(true);
    wire_->answer("HTTP/1.1 200 OK\r\n\r\nhello");
    wire_->end(net::error::eof);

    const ExchangeEnd end = run();

    EXPECT_TRUE(parser_.is_done());
    EXPECT_EQ(parser_.body(), "hello");
    EXPECT_FALSE(end.is_reusable);
}

TEST_F(ExchangeTest, keeps_the_status_of_an_answer_whose_body_is_broken) {
    wire_->answer("HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");

    const ExchangeEnd end = run();

    EXPECT_TRUE(parser_.has_head());
    EXPECT_EQ(parser_.status(), 202);
    EXPECT_NE(parser_.problem(), nullptr);
    EXPECT_FALSE(end.is_reusable);
}

TEST_F(ExchangeTest, stops_at_a_body_that_is_too_long_unless_the_bound_is_lifted) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string body = "11170\r\n" + std::string(70'000, 'x') + "\r\n0\r\n\r\n";
    wire_->answer(head + body);
    EXPECT_FALSE(run().is_reusable);
    EXPECT_TRUE(parser_.is_too_long());
    EXPECT_EQ(parser_.status(), 200);

    wire_->incoming = head + body;
    parser_.limit_body(70'000);
    parser_.keep_body(true);

    EXPECT_TRUE(run().is_reusable);
    EXPECT_EQ(parser_.body().size(), 70'000U);
}

TEST_F(ExchangeTest, says_what_ended_the_connection) {
    wire_->answer("HTTP/1.1 ");
    wire_->end(net::error::connection_reset);

    EXPECT_EQ(run().error, net::error::connection_reset);
    EXPECT_TRUE(parser_.has_begun());
    EXPECT_FALSE(parser_.has_head());
}

/// A request that its receiver does not read.
class BlockedExchangeTest : public ExchangeTest {
  protected:
    BlockedExchangeTest() {
        wire_->is_blocked = true;
        context_.poll();
    }

    void poll() {
        context_.restart();
        context_.poll();
    }

    const std::string request_ = std::string(17'000, 'x');
    const std::array<net::const_buffer, 1> buffers_ = {net::buffer(request_)};
    test::Running<ExchangeEnd> running_{context_, exchange(stream_, buffers_, parser_, space_)};
};

TEST_F(BlockedExchangeTest, hears_a_refusal_and_sends_no_more) {
    wire_->answer("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    poll();

    ASSERT_TRUE(running_.is_done());
    EXPECT_EQ(parser_.status(), 413);
    EXPECT_TRUE(parser_.is_done()) << "with its body";
    EXPECT_FALSE(running_.get().error);
    EXPECT_FALSE(running_.get().is_reusable);
    EXPECT_EQ(wire_->sent, "");
}

TEST_F(BlockedExchangeTest, sends_what_is_accepted_to_its_end) {
    wire_->answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    poll();
    EXPECT_FALSE(running_.is_done());

    wire_->unblock();
    poll();

    ASSERT_TRUE(running_.is_done());
    EXPECT_TRUE(running_.get().is_reusable);
    EXPECT_EQ(wire_->sent, request_);
}

TEST_F(BlockedExchangeTest, sends_on_after_an_interim_answer) {
    wire_->answer("HTTP/1.1 102 Wait\r\n\r\n");
    poll();
    EXPECT_FALSE(wire_->is_stopped);

    wire_->unblock();
    wire_->answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    poll();

    EXPECT_TRUE(running_.get().is_reusable);
    EXPECT_EQ(parser_.status(), 500);
    EXPECT_EQ(wire_->sent, request_);
}

TEST_F(BlockedExchangeTest, sends_no_more_to_who_is_gone) {
    wire_->end(net::error::connection_reset);
    poll();

    ASSERT_TRUE(running_.is_done());
    EXPECT_EQ(running_.get().error, net::error::connection_reset);
    EXPECT_EQ(wire_->sent, "");
}

TEST_F(BlockedExchangeTest, ends_when_the_stream_is_closed) {
    stream_.close();
    poll();

    ASSERT_TRUE(running_.is_done());
    EXPECT_EQ(running_.get().error, net::error::operation_aborted);
}

TEST_F(ExchangeTest, ends_when_the_stream_is_closed) {
    const std::array<net::const_buffer, 0> nothing;
    test::Running<ExchangeEnd> running(context_, exchange(stream_, nothing, parser_, space_));
    context_.poll();
    ASSERT_FALSE(running.is_done());

    stream_.close();
    context_.restart();
    context_.poll();

    EXPECT_EQ(running.get().error, net::error::operation_aborted);
}

}  // namespace
}  // namespace fanfare
