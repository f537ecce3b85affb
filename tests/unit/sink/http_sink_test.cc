// The HTTP sink's sense of time, and what it does about connections, on a network of the test's.
#include "fanfare/http_sink.h"

#include <gtest/gtest.h>

#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/run.h"
#include "support/sink_bench.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::FakeWire;
using test::ok_answer;

class HttpSinkTest : public testing::Test {
  protected:
    HttpSinkTest() {
        options_.url = "http://receiver.test/hook";
        network_.names.addresses = {net::ip::make_address("10.0.0.1")};
        network_.on_connected = [](FakeWire& wire) {
            wire.on_sent = [&wire] { wire.answer(ok_answer); };
        };
    }

    void make_sink() {
        Result<SinkMaker> maker = make_http_sink_maker(options_, network_, network_);
        ASSERT_TRUE(maker.has_value()) << maker.error().message();
        bench_.sink = (*maker)(bench_.sink_context);
    }
    void begin(unsigned number = 1) {
        if (!bench_.sink) make_sink();
        EventFields fields;
        fields.id = "id";
        bench_.begin({Event::make("{}", fields)}, number);
        advance(0ms);
    }
    Outcome deliver() {
        begin();
        return bench_.outcome();
    }
    void advance(Duration step) { clock_.advance(step, bench_.context); }

    HttpSinkOptions options_;
    test::ManualClock clock_;
    test::FakeNetwork network_;
    test::SinkBench bench_{clock_};
};

TEST_F(HttpSinkTest, writes_the_wall_time_of_the_attempt) {
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    const std::string line = "\r\nwebhook-timestamp: " + std::to_string(now) + "\r\n";
    EXPECT_NE(network_.wires.at(0)->sent.find(line), std::string::npos);
}

TEST_F(HttpSinkTest, sets_no_timer_for_a_request_in_time) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    const std::size_t alarms = clock_.alarm_count();

    for (int i = 0; i < 100; ++i) EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(clock_.alarm_count(), alarms);
    EXPECT_LE(alarms, 1U);
}

// Acceptance 21.
TEST_F(HttpSinkTest, gives_up_at_the_timeout_and_closes) {
    network_.on_connected = nullptr;
    options_.timeout = 300ms;
    begin();

    advance(299ms);
    EXPECT_FALSE(bench_.is_done());
    advance(1ms);

    ASSERT_TRUE(bench_.is_done());
    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
    EXPECT_EQ(bench_.outcome().error(), net::error::timed_out);
    EXPECT_TRUE(network_.wires.at(0)->is_closed);
}

// Acceptance 12, as the registry reads it.
TEST_F(HttpSinkTest, takes_the_default_for_a_timeout_that_is_zero_or_less) {
    network_.on_connected = nullptr;
    options_.timeout = -5s;
    begin();

    advance(999ms);
    EXPECT_FALSE(bench_.is_done());
    advance(1ms);

    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
}

TEST_F(HttpSinkTest, counts_connecting_in_the_timeout) {
    network_.on_connected = nullptr;
    options_.timeout = 1s;
    options_.connect_timeout = 900ms;
    network_.names.addresses.insert(network_.names.addresses.begin(),
                                    net::ip::make_address("10.0.0.9"));
    network_.on_connect = [](const ConnectTarget& target) {
        const bool is_silent = target.address == net::ip::make_address("10.0.0.9");
        return is_silent ? error_code(net::error::in_progress) : error_code();
    };
    begin();

    advance(450ms);  // its share of the connect timeout
    ASSERT_EQ(network_.wires.size(), 1U);
    advance(549ms);
    EXPECT_FALSE(bench_.is_done());
    advance(1ms);

    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
}

TEST_F(HttpSinkTest, ends_a_silent_connect_at_the_connect_timeout) {
    options_.connect_timeout = 200ms;
    network_.on_connect = [](const ConnectTarget&) { return net::error::in_progress; };
    begin();

    advance(199ms);
    EXPECT_FALSE(bench_.is_done());
    advance(1ms);

    ASSERT_TRUE(bench_.is_done());
    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
    EXPECT_EQ(bench_.metrics.connections_opened(), 0U);
}

TEST_F(HttpSinkTest, ends_a_silent_lookup_at_the_connect_timeout) {
    options_.timeout = 200ms;
    network_.is_resolver_silent = true;
    begin();

    advance(200ms);

    ASSERT_TRUE(bench_.is_done());
    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
}

TEST_F(HttpSinkTest, gives_each_address_its_share_of_the_connect_timeout) {
    options_.timeout = 900ms;
    network_.names.addresses = {net::ip::make_address("10.0.0.1"),
                                net::ip::make_address("10.0.0.2"),
                                net::ip::make_address("10.0.0.3")};
    network_.on_connect = [](const ConnectTarget&) { return net::error::in_progress; };
    begin();

    EXPECT_EQ(network_.targets.size(), 1U);
    advance(300ms);
    EXPECT_EQ(network_.targets.size(), 2U);
    advance(300ms);
    EXPECT_EQ(network_.targets.size(), 3U);
    EXPECT_FALSE(bench_.is_done());
    advance(300ms);
    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
}

TEST_F(HttpSinkTest, says_why_the_last_address_failed) {
    network_.names.addresses.push_back(net::ip::make_address("10.0.0.2"));
    network_.on_connect = [](const ConnectTarget&) { return net::error::connection_refused; };

    EXPECT_EQ(deliver().reason(), Reason::connect);
    EXPECT_EQ(network_.targets.size(), 2U);
}

TEST_F(HttpSinkTest, closes_an_idle_connection) {
    options_.idle_timeout = 60s;
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    advance(59s);
    EXPECT_FALSE(network_.wires.at(0)->is_closed);
    advance(1s);

    EXPECT_TRUE(network_.wires.at(0)->is_closed);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(bench_.metrics.connections_opened(), 2U);
}

TEST_F(HttpSinkTest, counts_idle_time_from_the_last_answer) {
    options_.idle_timeout = 60s;

    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(deliver().verdict(), Verdict::delivered);
        advance(40s);
    }

    EXPECT_EQ(network_.wires.size(), 1U);
}

TEST_F(HttpSinkTest, resolves_and_connects_anew_when_a_connection_is_old) {
    options_.connection_age_max = 5min;
    options_.idle_timeout = 1h;
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    advance(5min - 1ms);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(network_.asked.size(), 1U);
    advance(1ms);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.asked.size(), 2U);
    EXPECT_TRUE(network_.wires.at(0)->is_closed);
    EXPECT_EQ(bench_.metrics.connections_opened(), 2U);
}

TEST_F(HttpSinkTest, does_not_use_a_connection_that_looks_stale) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    network_.wires.at(0)->is_stale = true;
    network_.wires.at(0)->sent.clear();

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.wires.at(0)->sent, "");
    EXPECT_EQ(network_.wires.size(), 2U);
}

// What comes behind an answer, in a segment of its own, is no answer to the next request.
TEST_F(HttpSinkTest, looks_at_a_connection_that_was_in_use_just_now) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    network_.wires.at(0)->is_stale = true;
    network_.wires.at(0)->answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.wires.size(), 2U);
}

// The receiver closes between our look and our write.
TEST_F(HttpSinkTest, repeats_at_once_if_a_reused_connection_ends_unanswered) {
    for (const error_code& how :
         {error_code(net::error::eof), error_code(net::error::connection_reset)}) {
        make_sink();
        network_.wires.clear();
        EXPECT_EQ(deliver().verdict(), Verdict::delivered);
        FakeWire& wire = *network_.wires.at(0);
        wire.on_sent = [&wire, how] { wire.end(how); };
        const std::string first = wire.sent;

        EXPECT_EQ(deliver().verdict(), Verdict::delivered) << how.message();

        EXPECT_EQ(network_.wires.size(), 2U);
        EXPECT_EQ(network_.wires.at(1)->sent, first);
    }
}

TEST_F(HttpSinkTest, repeats_at_once_if_a_reused_connection_cannot_be_written_to) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    network_.wires.at(0)->write_error = net::error::broken_pipe;
    network_.wires.at(0)->end(net::error::connection_reset);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.wires.size(), 2U);
}

TEST_F(HttpSinkTest, does_not_repeat_on_a_fresh_connection) {
    network_.on_connected = [](FakeWire& wire) { wire.end(net::error::eof); };

    EXPECT_EQ(deliver().reason(), Reason::reset);
    EXPECT_EQ(network_.wires.size(), 1U);
}

TEST_F(HttpSinkTest, does_not_repeat_after_the_timeout) {
    options_.timeout = 300ms;
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    network_.wires.at(0)->on_sent = nullptr;
    begin();

    advance(300ms);

    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
    EXPECT_EQ(network_.wires.size(), 1U);
}

TEST_F(HttpSinkTest, hears_an_answer_that_came_before_the_write_failed) {
    network_.on_connected = [](FakeWire& wire) {
        wire.write_error = net::error::connection_reset;
        wire.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    };

    EXPECT_EQ(deliver().http_status(), 413);
    EXPECT_TRUE(network_.wires.at(0)->is_closed);
}

TEST_F(HttpSinkTest, lets_the_status_stand_when_the_body_stalls) {
    network_.on_connected = [](FakeWire& wire) {
        wire.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx");
    };
    options_.timeout = 300ms;
    begin();

    advance(300ms);

    EXPECT_EQ(bench_.outcome().verdict(), Verdict::delivered);
    EXPECT_TRUE(network_.wires.at(0)->is_closed);
}

TEST_F(HttpSinkTest, ends_promptly_when_cancelled_at_any_stage) {
    network_.on_connected = nullptr;
    const std::vector<std::function<void()>> stages = {
        [&] { network_.is_resolver_silent = true; },
        [&] {
            network_.is_resolver_silent = false;
            network_.on_connect = [](const ConnectTarget&) { return net::error::in_progress; };
        },
        [&] { network_.names.addresses.push_back(net::ip::make_address("10.0.0.2")); },
        [&] { network_.on_connect = nullptr; }};

    for (const auto& set_stage : stages) {
        set_stage();
        begin();
        EXPECT_FALSE(bench_.is_done());

        bench_.cancel();
        advance(0ms);

        ASSERT_TRUE(bench_.is_done());
        EXPECT_EQ(bench_.outcome().verdict(), Verdict::aborted);
    }
    EXPECT_TRUE(network_.wires.at(0)->is_closed);
}

TEST_F(HttpSinkTest, works_after_a_timeout_and_after_being_cancelled) {
    network_.on_connect = [](const ConnectTarget&) { return net::error::in_progress; };
    options_.timeout = 300ms;
    begin();
    advance(300ms);
    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
    begin();
    bench_.cancel();
    advance(0ms);
    EXPECT_EQ(bench_.outcome().verdict(), Verdict::aborted);

    network_.on_connect = nullptr;

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(network_.wires.size(), 1U);
}

TEST_F(HttpSinkTest, works_for_a_caller_that_cannot_cancel) {
    make_sink();
    EventFields fields;
    const std::vector<EventPtr> batch = {Event::make("{}", fields)};
    Attempt attempt;
    attempt.batch = batch;

    const Outcome outcome = test::run(bench_.context, bench_.sink->deliver(attempt));

    EXPECT_EQ(outcome.verdict(), Verdict::delivered);
}

TEST_F(HttpSinkTest, connects_to_what_the_url_says) {
    options_.url = "http://[2001:db8::1]:8080/";
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.asked.at(0), "2001:db8::1");
    EXPECT_EQ(network_.targets.at(0).port, 8080);
    EXPECT_EQ(network_.targets.at(0).tls, nullptr);
}

TEST_F(HttpSinkTest, names_the_host_to_verify_without_a_final_dot) {
    options_.url = "https://receiver.test./";
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.asked.at(0), "receiver.test.");
    EXPECT_EQ(network_.targets.at(0).server_name, "receiver.test");
    EXPECT_EQ(network_.targets.at(0).port, 443);
    EXPECT_NE(network_.targets.at(0).tls, nullptr);
}

}  // namespace
}  // namespace fanfare
