// What an HttpServer bears: slow clients, many connections, too few descriptors, and its own end.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/running_server.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::RawAnswer;
using test::RawClient;
using test::RunningServer;

const std::string hold = "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
const std::string echo = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

ListenerOptions local_options() { return RunningServer::options_on({"127.0.0.1:0"}); }

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        count += entry.path().empty() ? 0 : 1;
    }
    return count;
}

TEST(HttpServerTimeouts, tell_a_client_whose_head_does_not_come) {
    ListenerOptions options = local_options();
    options.header_timeout = 50ms;
    RunningServer server(options);
    RawClient client = server.connect();

    client.send("GET /echo HTTP/1.1\r\nHo");

    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_NE(answer.body.find("TIMEOUT"), std::string::npos);
    EXPECT_EQ(answer.field("connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.answers(408), 1U);
}

TEST(HttpServerTimeouts, count_the_whole_head_and_not_its_pieces) {
    ListenerOptions options = local_options();
    options.header_timeout = 200ms;
    RunningServer server(options);
    RawClient client = server.connect();
    const auto begin = std::chrono::steady_clock::now();

    client.send("GET /echo HTTP/1.1\r\nX: ");
    while (client.is_quiet_for(10ms)) client.send("x");

    EXPECT_EQ(client.read_answer().status, 408);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
}

TEST(HttpServerTimeouts, tell_a_client_whose_body_does_not_come) {
    ListenerOptions options = local_options();
    options.body_timeout = 50ms;
    RunningServer server(options);
    RawClient client = server.connect();

    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");

    EXPECT_EQ(client.read_answer().status, 408);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.handler().answered(), 0);
}

TEST(HttpServerTimeouts, end_an_idle_connection_silently) {
    ListenerOptions options = local_options();
    options.idle_timeout = 50ms;
    RunningServer server(options);
    RawClient fresh = server.connect();
    RawClient used = server.connect();

    used.send(echo);

    EXPECT_EQ(used.read_answer().status, 200);
    EXPECT_EQ(used.read_to_end(), "");
    EXPECT_EQ(fresh.read_to_end(), "");
    EXPECT_EQ(server.answers(408), 0U);
}

TEST(HttpServerTimeouts, do_not_run_while_the_handler_works) {
    ListenerOptions options = local_options();
    options.header_timeout = options.body_timeout = options.idle_timeout = 30ms;
    RunningServer server(options);
    RawClient client = server.connect();

    client.send(hold);
    ASSERT_TRUE(eventually([&] { return server.handler().held() == 1; }));
    EXPECT_TRUE(client.is_quiet_for(150ms));
    server.handler().release();

    EXPECT_EQ(client.read_answer().status, 200);
}

TEST(HttpServerTimeouts, end_a_connection_whose_client_does_not_read) {
    ListenerOptions options = local_options();
    options.body_timeout = 200ms;
    RunningServer server(options);
    RawClient client = server.connect(0, 4096);

    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");

    ASSERT_TRUE(eventually([&] { return server.answers(200) == 1; }));
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(HttpServerTimeouts, end_a_client_that_does_not_go) {
    RunningServer server;
    RawClient client = server.connect();

    client.send("GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);

    EXPECT_EQ(server.connections(), 1U) << "the client has not read the end yet";
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(HttpServerLimits, answer_503_beyond_the_connections_there_may_be) {
    ListenerOptions options = local_options();
    options.connections_max = 2;
    RunningServer server(options);
    RawClient first = server.connect();
    {
        RawClient second = server.connect();
        first.send(echo);
        second.send(echo);
        EXPECT_EQ(first.read_answer().status, 200);
        EXPECT_EQ(second.read_answer().status, 200);

        RawClient third = server.connect();
        third.send(echo);
        const RawAnswer answer = third.read_answer();

        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(answer.field("retry-after"), "1");
        EXPECT_NE(answer.body.find("TOO_MANY_CONNECTIONS"), std::string::npos);
        EXPECT_EQ(third.read_to_end(), "");
    }
    ASSERT_TRUE(eventually([&] { return server.connections() == 1; }));
    RawClient fourth = server.connect();
    fourth.send(echo);
    EXPECT_EQ(fourth.read_answer().status, 200);
    EXPECT_EQ(server.answers(503), 1U);
}

TEST(HttpServerLimits, spread_connections_over_the_shards) {
    RunningServer server(local_options(), 3);
    std::vector<RawClient> clients;
    for (int i = 0; i < 9; ++i) {
        clients.push_back(server.connect());
        clients.back().send(echo);
        EXPECT_EQ(clients.back().read_answer().status, 200);
    }

    for (std::size_t shard = 0; shard < 3; ++shard) {
        EXPECT_EQ(server.metrics(shard).connections(), 3U);
        EXPECT_EQ(server.metrics(shard).request_duration().count(), 3U);
    }
    clients.clear();
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

/// Lowers the number of descriptors there may be, and takes all that are left.
class FewDescriptors {
  public:
    explicit FewDescriptors(std::size_t left) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit lower = before_;
        lower.rlim_cur = 256;
        ::setrlimit(RLIMIT_NOFILE, &lower);
        for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
        give_back(left);
    }
    ~FewDescriptors() {
        give_back(taken_.size());
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }
    void give_back(std::size_t count) {
        for (; count > 0 && !taken_.empty(); --count) {
            ::close(taken_.back());
            taken_.pop_back();
        }
    }

  private:
    rlimit before_{};
    std::vector<int> taken_;
};

TEST(HttpServerLimits, pause_accepting_while_descriptors_are_out) {
    RunningServer server;
    RawClient served = server.connect();
    served.send(echo);
    EXPECT_EQ(served.read_answer().status, 200);

    FewDescriptors few(1);  // for the client's end alone
    RawClient waiting = server.connect();
    waiting.send(echo);
    EXPECT_TRUE(waiting.is_quiet_for(300ms));

    // Who is connected is served meanwhile, and one line says what is going on.
    served.send(echo);
    EXPECT_EQ(served.read_answer().status, 200);
    const std::vector<std::string> lines = server.loops().log_lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("accepting pauses error=\"Too many open files\""), std::string::npos);

    few.give_back(1);
    EXPECT_EQ(waiting.read_answer().status, 200);
}

TEST(HttpServerLimits, do_not_spin_while_descriptors_are_out) {
    RunningServer server;
    FewDescriptors few(1);
    RawClient waiting = server.connect();
    ASSERT_TRUE(eventually([&] { return !server.loops().log_lines().empty(); }));
    rusage before{};
    rusage after{};

    ::getrusage(RUSAGE_SELF, &before);
    EXPECT_TRUE(waiting.is_quiet_for(500ms));
    ::getrusage(RUSAGE_SELF, &after);

    const auto spent = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1'000'000 +
                       (after.ru_utime.tv_usec - before.ru_utime.tv_usec);
    EXPECT_LT(spent, 200'000) << "microseconds of CPU time in half a second of waiting";
    few.give_back(100);
}

/// Has no memory for an alarm when told so.
class FailingClock final : public Clock {
  public:
    TimePoint now() const noexcept override { return clock_.now(); }
    WallTime wall() const noexcept override { return clock_.wall(); }
    std::unique_ptr<Alarm> make_alarm(const Executor& executor) override {
        if (fails_next_.exchange(false)) throw std::bad_alloc();
        return clock_.make_alarm(executor);
    }

    void fail_next() { fails_next_ = true; }
    bool has_failed() const { return !fails_next_; }

  private:
    SteadyClock clock_;
    std::atomic<bool> fails_next_{false};
};

TEST(HttpServerLimits, go_on_accepting_when_memory_was_out) {
    net::io_context context{1};
    FailingClock clock;
    Log log{LogOptions{}, [](std::string_view) {}};
    Shard shard(context, clock, log);
    test::TargetHandler handler(clock);
    HttpServer server("test", {&shard}, local_options(), handler);
    ASSERT_TRUE(server.bind().has_value());
    server.start();
    auto guard = net::make_work_guard(context);
    std::thread turning([&] { context.run(); });
    int status = 0;
    {
        FewDescriptors few(1);  // so that accepting pauses, which takes an alarm
        clock.fail_next();
        RawClient client(server.addresses().front());
        EXPECT_TRUE(eventually([&] { return clock.has_failed(); }));

        few.give_back(1);
        client.send(echo);
        EXPECT_NO_THROW(status = client.read_answer().status);
    }

    EXPECT_EQ(status, 200);
    net::co_spawn(context, server.stop(1s), net::use_future).wait();
    guard.reset();
    turning.join();
}

TEST(HttpServerLimits, leave_no_descriptor_behind) {
    const std::size_t before = open_descriptors();
    {
        RunningServer server(local_options(), 2);
        for (int i = 0; i < 50; ++i) {
            RawClient good = server.connect();
            good.send(echo);
            EXPECT_EQ(good.read_answer().status, 200);
            RawClient bad = server.connect();
            bad.send("nonsense\r\n");
            EXPECT_EQ(bad.read_answer().status, 400);
            RawClient gone = server.connect();
            gone.send("GET");
            gone.reset();
        }
        EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(HttpServerStop, ends_idle_connections_and_answers_what_has_begun) {
    RunningServer server(local_options(), 2);
    RawClient idle = server.connect();
    RawClient used = server.connect();
    RawClient busy = server.connect();
    RawClient partial = server.connect();
    used.send(echo);
    EXPECT_EQ(used.read_answer().status, 200);
    busy.send(hold + echo);
    partial.send("GET /echo HTTP/1.1\r\n");
    ASSERT_TRUE(eventually([&] { return server.handler().held() == 1; }));
    ASSERT_TRUE(eventually([&] { return server.connections() == 4; }));

    std::future<void> stopped = server.stop(10s);

    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(used.read_to_end(), "");
    partial.send("Host: a\r\n\r\n");
    EXPECT_EQ(partial.read_answer().field("connection"), "close");
    EXPECT_EQ(stopped.wait_for(0ms), std::future_status::timeout);
    server.handler().release();
    const RawAnswer answer = busy.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("connection"), "close");
    EXPECT_EQ(busy.read_to_end(), "");
    EXPECT_EQ(stopped.wait_for(10s), std::future_status::ready);
    EXPECT_EQ(server.connections(), 0U);
}

TEST(HttpServerStop, accepts_no_more) {
    RunningServer server;
    const std::string address = server.server().addresses().at(0);

    server.stop(10s).wait();

    EXPECT_THROW(RawClient{address}, std::runtime_error);
}

TEST(HttpServerStop, cuts_off_what_does_not_end_in_time) {
    RunningServer server;
    RawClient busy = server.connect();
    RawClient slow = server.connect();
    busy.send(hold);
    slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    ASSERT_TRUE(eventually([&] { return server.handler().held() == 1; }));
    ASSERT_TRUE(eventually([&] { return server.connections() == 2; }));
    const auto begin = std::chrono::steady_clock::now();

    server.stop(100ms).wait();

    EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(server.connections(), 0U);
    EXPECT_EQ(server.handler().answered(), 0);
}

TEST(HttpServerStop, is_at_once_when_nothing_is_going_on) {
    RunningServer server(local_options(), 2);
    std::vector<RawClient> clients;
    for (int i = 0; i < 20; ++i) clients.push_back(server.connect());
    ASSERT_TRUE(eventually([&] { return server.connections() == 20; }));
    const auto begin = std::chrono::steady_clock::now();

    server.stop(10s).wait();

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

}  // namespace
}  // namespace fanfare
