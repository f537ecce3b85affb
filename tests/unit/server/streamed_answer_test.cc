// A session whose answer is streamed, over a pair of sockets.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "server/session_host.h"
#include "support/manual_clock.h"
#include "support/run.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;

/// The client's end of a connection.
class ClientEnd {
  public:
    explicit ClientEnd(int descriptor) : descriptor_(descriptor) {}
    ~ClientEnd() { close(); }
    ClientEnd(const ClientEnd&) = delete;
    ClientEnd& operator=(const ClientEnd&) = delete;

    void send(const std::string& text) {
        EXPECT_EQ(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL),
                  ssize_t(text.size()));
    }
    /// What has come since the last call.
    std::string receive() {
        std::string all;
        std::array<char, 4096> part{};
        for (;;) {
            const ssize_t bytes = ::recv(descriptor_, part.data(), part.size(), MSG_DONTWAIT);
            if (bytes <= 0) {
                is_ended_ = bytes == 0;
                return all;
            }
            all.append(part.data(), std::size_t(bytes));
        }
    }
    /// Whether the last receive() came to the end.
    bool is_ended() const { return is_ended_; }
    void close() {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }

  private:
    int descriptor_;
    bool is_ended_ = false;
};

/// Answers with a body that says hello, and goodbye once it is woken.
class StreamingHandler final : public RequestHandler {
  public:
    bool is_throwing = false;
    bool is_cutting = false;
    ResponseStream* out = nullptr;  ///< while the body is being written
    std::shared_ptr<int> kept = std::make_shared<int>(0);

    std::string_view allowed_methods() const noexcept override { return "GET"; }
    std::optional<Response> refuse(const RequestHead&, const Peer&) override {
        return std::nullopt;
    }
    Reply respond(Request) override {
        Response response;
        response.content_type = "text/plain";
        response.stream = [this, body_keeps = kept](ResponseStream& stream) {
            return write(*this, stream);
        };
        return response;
    }

  private:
    static awaitable<void> write(StreamingHandler& self, ResponseStream& stream) {
        self.out = &stream;
        co_await stream.write("hello\n");
        if (self.is_throwing) throw std::runtime_error("on purpose");
        if (self.is_cutting) stream.cut();
        co_await stream.wakeup().wait();
        co_await stream.write("goodbye\n");
        self.out = nullptr;
    }
};

class StreamedAnswers : public testing::Test {
  protected:
    StreamedAnswers() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            throw std::runtime_error("no pair of sockets");
        }
        client_ = std::make_unique<ClientEnd>(ends[1]);
        StreamSocket socket(shard_.executor());
        socket.assign(net::generic::stream_protocol(AF_UNIX, 0), ends[0]);
        Accepted accepted{std::move(socket), peer_, ConnectionSlot([this] { is_over_ = true; })};
        host_.open(std::move(accepted));
        poll();
    }
    ~StreamedAnswers() override {
        host_.cut();
        poll();
        EXPECT_TRUE(is_over_) << "a connection outlives its server";
    }

    void poll() { ManualClock::poll(context_); }
    void advance(Duration step) { clock_.advance(step, context_); }

    std::string ask(const std::string& line) {
        client_->send(line + "\r\nHost: a\r\n\r\n");
        poll();
        return client_->receive();
    }

    /// Whoever holds `kept`, but for the handler itself.
    bool is_body_kept() const { return handler_.kept.use_count() > 1; }

    net::io_context context_{1};
    ManualClock clock_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    Shard shard_{context_, clock_, log_};
    const ListenerOptions options_;
    const Peer peer_{.is_local = true, .is_unix = true, .text = "unix"};
    StreamingHandler handler_;
    bool is_over_ = false;
    SessionHost host_{"admin", shard_, options_, handler_};
    std::unique_ptr<ClientEnd> client_;
};

TEST_F(StreamedAnswers, are_sent_as_they_come_into_being) {
    const std::string begin = ask("GET / HTTP/1.1");

    EXPECT_TRUE(begin.starts_with("HTTP/1.1 200 OK\r\n")) << begin;
    EXPECT_NE(begin.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos) << begin;
    EXPECT_NE(begin.find("\r\nConnection: close\r\n"), std::string::npos) << begin;
    EXPECT_EQ(begin.find("Content-Length"), std::string::npos) << begin;
    EXPECT_TRUE(begin.ends_with("\r\n\r\n6\r\nhello\n\r\n")) << begin;
    EXPECT_FALSE(client_->is_ended());

    handler_.out->wakeup().notify();
    poll();

    EXPECT_EQ(client_->receive(), "8\r\ngoodbye\n\r\n0\r\n\r\n");
    EXPECT_TRUE(client_->is_ended());
}

TEST_F(StreamedAnswers, have_no_chunks_for_http_1_0) {
    const std::string begin = ask("GET / HTTP/1.0");

    EXPECT_EQ(begin.find("Transfer-Encoding"), std::string::npos) << begin;
    EXPECT_TRUE(begin.ends_with("\r\n\r\nhello\n")) << begin;

    handler_.out->wakeup().notify();
    poll();

    EXPECT_EQ(client_->receive(), "goodbye\n");
    EXPECT_TRUE(client_->is_ended());
}

TEST_F(StreamedAnswers, have_a_head_alone_for_who_asks_for_that) {
    const std::string answer = ask("HEAD / HTTP/1.1");

    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
    EXPECT_EQ(answer.find("hello"), std::string::npos) << answer;
    EXPECT_TRUE(client_->is_ended());
    EXPECT_EQ(handler_.out, nullptr);
    client_->close();
    poll();
    EXPECT_TRUE(is_over_);
}

TEST_F(StreamedAnswers, know_no_timeout) {
    ask("GET / HTTP/1.1");

    advance(24h);

    client_->receive();
    EXPECT_FALSE(client_->is_ended());
    ASSERT_NE(handler_.out, nullptr);
    EXPECT_FALSE(handler_.out->has_client_gone());
}

TEST_F(StreamedAnswers, pass_over_what_the_client_says_meanwhile) {
    ask("GET / HTTP/1.1");

    EXPECT_EQ(ask("GET /again HTTP/1.1"), "");
    handler_.out->wakeup().notify();
    poll();

    EXPECT_EQ(client_->receive(), "8\r\ngoodbye\n\r\n0\r\n\r\n") << "it is the last answer";
}

TEST_F(StreamedAnswers, end_when_the_client_goes) {
    ask("GET / HTTP/1.1");

    client_->close();
    poll();

    EXPECT_EQ(handler_.out, nullptr) << "the body was woken";
    EXPECT_TRUE(is_over_);
    EXPECT_FALSE(is_body_kept());
}

TEST_F(StreamedAnswers, say_goodbye_when_the_server_stops) {
    ask("GET / HTTP/1.1");

    host_.stop();
    EXPECT_TRUE(handler_.out->is_stopping());
    poll();

    EXPECT_EQ(client_->receive(), "8\r\ngoodbye\n\r\n0\r\n\r\n");
    EXPECT_TRUE(client_->is_ended());
}

TEST_F(StreamedAnswers, do_not_let_a_server_wait_that_stops) {
    ask("GET / HTTP/1.1");
    host_.stop();
    poll();

    advance(250ms - 1ms);
    EXPECT_FALSE(is_over_) << "the client may not have read all yet";
    advance(1ms);

    EXPECT_TRUE(is_over_);
}

TEST_F(StreamedAnswers, leave_the_client_a_while_to_go) {
    ask("GET / HTTP/1.1");
    handler_.out->wakeup().notify();
    poll();

    EXPECT_FALSE(is_body_kept()) << "whatever the client does: its place is free";
    advance(2s - 1ms);
    EXPECT_FALSE(is_over_);
    advance(1ms);

    EXPECT_TRUE(is_over_);
}

TEST_F(StreamedAnswers, do_not_look_whole_when_they_have_failed) {
    handler_.is_throwing = true;

    const std::string answer = ask("GET / HTTP/1.1");

    EXPECT_TRUE(answer.ends_with("6\r\nhello\n\r\n")) << answer;
    EXPECT_TRUE(client_->is_ended());
    EXPECT_TRUE(is_over_);
    ASSERT_EQ(lines_.size(), 1U);
    EXPECT_NE(lines_[0].find("request failed"), std::string::npos) << lines_[0];
    EXPECT_FALSE(is_body_kept());
}

TEST_F(StreamedAnswers, do_not_look_whole_when_they_were_cut_off) {
    handler_.is_cutting = true;

    const std::string answer = ask("GET / HTTP/1.1");

    EXPECT_TRUE(answer.ends_with("6\r\nhello\n\r\n")) << answer;
    EXPECT_TRUE(client_->is_ended());
    EXPECT_TRUE(is_over_);
}

TEST_F(StreamedAnswers, end_at_once_when_the_server_cuts_them_off) {
    ask("GET / HTTP/1.1");

    host_.cut();
    poll();

    EXPECT_TRUE(is_over_);
    EXPECT_FALSE(is_body_kept());
}

}  // namespace
}  // namespace fanfare::test
