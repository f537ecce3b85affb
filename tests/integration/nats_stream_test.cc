// Streams that another process wants otherwise, on real NATS servers.
#include <algorithm>
#include <array>

#include "nats/jetstream_ask.h"
#include "nats/nats_board.h"
#include "support/nats_parts.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::soon;

/// A process whose log lines are kept.
class LoggingProcess {
  public:
    LoggingProcess(const std::string& url, const NatsLogOptions& options)
        : connection(clock, log, test::NatsProcess::connection_options(url)),
          events(connection, options),
          board(connection, {"fanfare_board", options.replicas}) {
        connection.start();
        board.watch([](const Board::Change&) {}, [this] { has_board = true; });
    }

    /// Its stream is there, and as it is going to be.
    bool is_there() {
        return soon([this] { return events.figures().is_ready && has_board; }, 60s);
    }

    unsigned lines_with(const std::string& text) const {
        const std::lock_guard lock(mutex_);
        return static_cast<unsigned>(std::count_if(
            lines_.begin(), lines_.end(),
            [&](const std::string& line) { return line.find(text) != std::string::npos; }));
    }

    /// As a server tells it.
    JsJson config_of(const std::string& stream) {
        const auto asked = std::make_shared<std::promise<JsJson>>();
        connection.request(
            {.subject = "$JS.API.STREAM.INFO." + stream, .headers = {}, .payload = {}}, 5s,
            [asked](const NatsReply& reply) {
                const JsResult<JsJson> answer = js_answer(reply);
                asked->set_value(answer ? answer->at("config") : JsJson::object());
            });
        return asked->get_future().get();
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;

  public:
    std::atomic<bool> has_board = false;
    SteadyClock clock;
    Log log{LogOptions{.level = LogLevel::warning, .format = LogFormat::text},
            [this](std::string_view line) {
                const std::lock_guard lock(mutex_);
                lines_.emplace_back(line);
            }};
    NatsConnection connection;
    NatsLog events;
    NatsBoard board;
};

class NatsStreamTest : public test::WithNatsServer {};

TEST_F(NatsStreamTest, says_what_it_changes_about_a_stream_that_another_has_made) {
    NatsLogOptions options = test::quick_log();
    options.bytes_max = 10 << 20;
    LoggingProcess first(server_.url(), options);
    ASSERT_TRUE(first.is_there());
    EXPECT_EQ(first.lines_with("configured otherwise"), 0U);
    options.bytes_max = 20 << 20;
    options.age_max = 1h;

    LoggingProcess second(server_.url(), options);
    ASSERT_TRUE(second.is_there());

    EXPECT_EQ(second.lines_with("max_age: none -> 1h, max_bytes: 10MiB -> 20MiB"), 1U);
    EXPECT_EQ(second.lines_with("configured otherwise"), 1U) << "the board is as wanted";
    EXPECT_EQ(second.config_of("fanfare").value("max_bytes", 0), 20 << 20);
}

TEST_F(NatsStreamTest, leaves_what_an_operator_has_set_besides) {
    NatsLogOptions options = test::quick_log();
    LoggingProcess first(server_.url(), options);
    ASSERT_TRUE(first.is_there());
    JsJson config = first.config_of("fanfare");
    config["description"] = "an operator's";
    std::promise<bool> changed;
    const std::string body = config.dump();
    first.connection.request(
        {.subject = "$JS.API.STREAM.UPDATE.fanfare", .headers = {}, .payload = body}, 5s,
        [&](const NatsReply& reply) { changed.set_value(js_answer(reply).has_value()); });
    ASSERT_TRUE(changed.get_future().get());
    options.age_max = 1h;

    LoggingProcess second(server_.url(), options);
    ASSERT_TRUE(second.is_there());

    EXPECT_EQ(second.config_of("fanfare").value("description", ""), "an operator's");
    EXPECT_EQ(second.lines_with("changes=\"max_age: none -> 1h\""), 1U);
}

/// Three servers that keep streams together.
class NatsReplicasTest : public test::WithNatsServer {
  protected:
    NatsReplicasTest() { starts_at_once_ = false; }
    void SetUp() override {
        WithNatsServer::SetUp();
        if (IsSkipped()) return;
        std::string routes;
        for (const test::NatsServer& port : ports_) {
            routes += (routes.empty() ? "" : ",") + port.url();
        }
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            servers_.at(i).start({"--server_name", "n" + std::to_string(i), "--cluster_name",
                                  "three", "--cluster", ports_.at(i).url(), "--routes", routes});
        }
    }

    NatsLogOptions options(unsigned replicas) const {
        NatsLogOptions made = test::quick_log();
        made.replicas = replicas;
        return made;
    }
    std::string url() const { return servers_.front().url(); }

    std::array<test::NatsServer, 3> servers_;
    std::array<test::NatsServer, 3> ports_;  // for routes; they are never started
};

TEST_F(NatsReplicasTest, are_never_made_fewer) {
    LoggingProcess first(url(), options(3));
    ASSERT_TRUE(first.is_there());

    LoggingProcess second(url(), options(1));
    ASSERT_TRUE(second.is_there());

    EXPECT_TRUE(soon([&] {
        return second.lines_with("more replicas than queue.replicas says") == 2;
    })) << "of the log and of the board";
    for (const char* stream : {"fanfare", "KV_fanfare_board"}) {
        EXPECT_EQ(second.config_of(stream).value("num_replicas", 0), 3) << stream;
    }
    EXPECT_EQ(second.lines_with("configured otherwise"), 0U);
}

TEST_F(NatsReplicasTest, are_made_more) {
    LoggingProcess first(url(), options(1));
    ASSERT_TRUE(first.is_there());

    LoggingProcess second(url(), options(3));
    ASSERT_TRUE(second.is_there());

    EXPECT_TRUE(soon([&] { return second.lines_with("num_replicas: 1 -> 3") == 2; }))
        << "of the log and of the board";
    EXPECT_TRUE(soon([&] { return second.config_of("fanfare").value("num_replicas", 0) == 3; }))
        << "a server may not have heard of it yet";
}

}  // namespace
}  // namespace fanfare
