// Tokens that are asked for, kept, renewed and refused, on a network of the test's.
#include "sink/auth/oauth2.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/secret_on_disk.h"
#include "support/sink_bench.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::FakeWire;

std::string answer(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

class OAuth2Test : public testing::Test {
  protected:
    OAuth2Test() {
        options_.url = "http://receiver.test/hook";
        options_.auth.type = AuthOptions::Type::oauth2;
        options_.auth.token_url = "http://login.test:8444/token?a=b";
        options_.auth.client_id = "me & you";
        options_.auth.client_secret_file = secret_.path();
        network_.names.addresses = {net::ip::make_address("10.0.0.1")};
        network_.on_connected = [this](FakeWire& wire) {
            wire.on_sent = [this, &wire] {
                if (wire.sent.find("/token?a=b HTTP/1.1") != std::string::npos) {
                    answer_token(wire);
                } else {
                    answer_hook(wire);
                }
            };
        };
    }

    void answer_token(FakeWire& wire) {
        token_requests_.push_back(wire.sent);
        if (token_answer_) {
            if (!token_answer_->empty()) wire.answer(*token_answer_);
            return;
        }
        const std::string number = std::to_string(token_requests_.size());
        wire.answer(answer(R"({"access_token":"t)" + number +
                           R"(","token_type":"bearer","expires_in":)" + expires_in_ + "}"));
    }

    void answer_hook(FakeWire& wire) {
        const std::string line = "\r\nAuthorization: Bearer ";
        const std::size_t begin = wire.sent.rfind(line) + line.size();
        const std::string token = wire.sent.substr(begin, wire.sent.find('\r', begin) - begin);
        seen_.push_back(token);
        wire.answer(answer("", token == refused_ || refused_ == "*" ? "401 No" : "200 OK"));
    }

    void begin(test::SinkBench& bench) {
        if (!maker_) {
            Result<SinkMaker> made = make_http_sink_maker(options_, network_, network_, &log_);
            ASSERT_TRUE(made.has_value()) << made.error().message();
            maker_ = std::move(*made);
        }
        if (!bench.sink) bench.sink = maker_(bench.sink_context);
        EventFields fields;
        fields.id = "id";
        bench.begin({Event::make("{}", fields)});
        pass(0ms);
    }
    Outcome deliver() {
        begin(bench_);
        return bench_.outcome();
    }
    void pass(Duration time) {
        clock_.advance(time, bench_.context);
        test::ManualClock::poll(other_.context);
        test::ManualClock::poll(bench_.context);
    }
    std::vector<std::string> seen() { return std::exchange(seen_, {}); }

    test::SecretOnDisk secret_{"s3cr3t/+\n"};
    HttpSinkOptions options_;
    std::string expires_in_ = "600";
    std::optional<std::string> token_answer_;  ///< instead of a new token; empty: silence
    std::string refused_;                      ///< a token, or * for all
    std::vector<std::string> token_requests_;
    std::vector<std::string> seen_;  ///< tokens that came with events
    test::ManualClock clock_;
    test::FakeNetwork network_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    SinkMaker maker_;
    test::SinkBench bench_{clock_};
    test::SinkBench other_{clock_};  ///< another worker of the endpoint
};

TEST_F(OAuth2Test, asks_by_client_credentials) {
    options_.auth.scopes = {"events.write", "a/b"};
    options_.auth.audience = "https://audit.example.com";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    const std::string body =
        "grant_type=client_credentials&scope=events.write+a%2Fb&audience="
        "https%3A%2F%2Faudit.example.com";
    ASSERT_EQ(token_requests_.size(), 1U);
    const std::string start =
        "POST /token?a=b HTTP/1.1\r\nHost: login.test:8444\r\nUser-Agent: fanfare/";
    const std::string rest = "\r\nAuthorization: Basic " + base64("me+%26+you:s3cr3t%2F%2B") +
                             "\r\nAccept: application/json\r\n"
                             "Content-Type: application/x-www-form-urlencoded\r\n"
                             "Content-Length: " +
                             std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    EXPECT_TRUE(token_requests_[0].starts_with(start)) << token_requests_[0];
    EXPECT_TRUE(token_requests_[0].ends_with(rest)) << token_requests_[0];
    EXPECT_EQ(bench_.metrics.connections_opened(), 1U) << "the token's is not the endpoint's";
}

TEST_F(OAuth2Test, keeps_a_token_until_shortly_before_it_expires) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    pass(540s - 1ms);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t1"}));

    pass(1ms);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t2"}));
}

TEST_F(OAuth2Test, assumes_five_minutes_if_nothing_is_said) {
    token_answer_ = answer(R"({"access_token":"x"})");
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    pass(270s - 1ms);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 1U);
    pass(1ms);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(token_requests_.size(), 2U);
}

TEST_F(OAuth2Test, goes_on_with_a_good_token_while_it_cannot_be_renewed) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    token_answer_ = answer("", "503 No");
    pass(541s);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 2U) << "not for every event";
    pass(5s);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 3U);

    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t1", "t1", "t1"}));
    pass(60s);
    EXPECT_EQ(deliver().reason(), Reason::protocol) << "now it has expired";
}

TEST_F(OAuth2Test, repeats_at_once_with_a_new_token_after_401) {
    refused_ = "t1";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t2"}));
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 2U);
}

TEST_F(OAuth2Test, lets_a_second_401_count) {
    refused_ = "*";

    EXPECT_EQ(deliver().http_status(), 401);

    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t2"}));
}

TEST_F(OAuth2Test, does_not_ask_for_token_after_token_while_all_are_refused) {
    refused_ = "*";
    EXPECT_EQ(deliver().http_status(), 401);
    seen();

    EXPECT_EQ(deliver().http_status(), 401);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t2"})) << "not at once";
    pass(5s);
    EXPECT_EQ(deliver().http_status(), 401);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t2", "t3"}));
    pass(60s - 1ms);
    EXPECT_EQ(deliver().http_status(), 401);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t3"})) << "t2 did not help, nor may t4";
    pass(1ms);
    EXPECT_EQ(deliver().http_status(), 401);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t3", "t4"}));
}

TEST_F(OAuth2Test, replaces_a_token_soon_again_if_the_last_replacement_was_taken) {
    refused_ = "t1";
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    refused_ = "t2";
    pass(5s);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    refused_ = "t3";
    pass(5s);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t2", "t2", "t3", "t3", "t4"}));
}

TEST_F(OAuth2Test, keeps_a_token_after_a_stray_401_if_there_is_no_other) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    refused_ = "t1";
    token_answer_ = answer("", "503 No");

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.reason(), Reason::status);
    EXPECT_EQ(outcome.http_status(), 401) << "what the endpoint said";
    refused_ = "";
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 2U);
    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t1", "t1"}));
}

TEST_F(OAuth2Test, renews_a_refused_token_as_soon_as_that_is_possible) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    refused_ = "t1";
    token_answer_ = answer("", "503 No");
    EXPECT_EQ(deliver().http_status(), 401);
    token_answer_.reset();
    pass(5s);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(seen(), (std::vector<std::string>{"t1", "t1", "t3"}));
}

TEST_F(OAuth2Test, replaces_a_refused_token_once_for_all_workers) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    refused_ = "t1";
    token_answer_ = "";
    begin(bench_);
    begin(other_);
    ASSERT_EQ(token_requests_.size(), 2U);
    EXPECT_FALSE(bench_.is_done());
    EXPECT_FALSE(other_.is_done()) << "it waits for the one that asks";

    network_.wires.at(2)->answer(answer(R"({"access_token":"x"})"));
    pass(0ms);

    EXPECT_EQ(bench_.outcome().verdict(), Verdict::delivered);
    EXPECT_EQ(other_.outcome().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 2U);
}

TEST_F(OAuth2Test, takes_401_for_delivered_where_it_is_a_success) {
    options_.success = {{200, 499}};
    refused_ = "*";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 1U);
}

TEST_F(OAuth2Test, asks_once_for_all_workers) {
    token_answer_ = "";
    begin(bench_);
    begin(other_);
    ASSERT_EQ(token_requests_.size(), 1U);

    network_.wires.at(0)->answer(answer(R"({"access_token":"x"})"));
    pass(0ms);

    EXPECT_EQ(bench_.outcome().verdict(), Verdict::delivered);
    EXPECT_EQ(other_.outcome().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 1U);
}

TEST_F(OAuth2Test, tells_all_workers_of_one_failure) {
    token_answer_ = "";
    begin(bench_);
    begin(other_);

    pass(10s);

    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
    EXPECT_EQ(other_.outcome().reason(), Reason::timeout);
    EXPECT_EQ(token_requests_.size(), 1U);
}

TEST_F(OAuth2Test, lets_others_go_on_while_one_renews_early) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    token_answer_ = "";
    pass(541s);
    begin(bench_);
    EXPECT_FALSE(bench_.is_done());

    begin(other_);

    EXPECT_EQ(other_.outcome().verdict(), Verdict::delivered);
    bench_.cancel();
    pass(0ms);
}

TEST_F(OAuth2Test, hands_the_asking_over_when_the_one_that_asks_is_cancelled) {
    token_answer_ = "";
    begin(bench_);
    begin(other_);
    bench_.cancel();
    pass(0ms);
    EXPECT_TRUE(bench_.is_done());
    ASSERT_EQ(token_requests_.size(), 2U);
    EXPECT_TRUE(network_.wires.at(0)->is_closed);

    network_.wires.at(1)->answer(answer(R"({"access_token":"x"})"));
    pass(0ms);

    EXPECT_EQ(other_.outcome().verdict(), Verdict::delivered);
}

TEST_F(OAuth2Test, ends_promptly_when_cancelled_while_waiting) {
    token_answer_ = "";
    begin(bench_);
    begin(other_);

    other_.cancel();
    pass(0ms);

    EXPECT_TRUE(other_.is_done());
    EXPECT_FALSE(bench_.is_done());
    bench_.cancel();
    pass(0ms);
}

struct BadAnswer {
    std::string answer;
    std::string message;
};

TEST_F(OAuth2Test, takes_a_bad_answer_for_an_error_of_the_attempt) {
    const std::string no_token = "the answer to the token request has no access_token of use";
    const std::string no_json = "the answer to the token request is no JSON object";
    const std::vector<BadAnswer> cases = {
        {answer("", "400 Bad"), "the token request was answered 400"},
        {answer("", "302 Found"), "the token request was answered 302"},
        {answer("", "204 No Content"), "the token request was answered 204"},
        {answer(""), no_json},
        {answer("[]"), no_json},
        {answer("{\"access_token\":"), no_json},
        {answer("{}"), no_token},
        {answer(R"({"access_token":5})"), no_token},
        {answer(R"({"access_token":""})"), no_token},
        {answer(R"({"access_token":"a\r\nb: c"})"), no_token},
        {answer("{\"access_token\":\"" + std::string(20000, 'x') + "\"}"), no_token},
        {answer(R"({"access_token":"a","token_type":"mac"})"),
         "the token_type in the answer to the token request is not Bearer"},
        {answer(std::string(70000, 'x')), "the answer to the token request is too long"},
        {"garbage\r\n\r\n", "the answer to the token request is not HTTP"},
    };
    for (const BadAnswer& bad : cases) {
        token_answer_ = bad.answer;
        const Outcome outcome = deliver();

        EXPECT_EQ(outcome.reason(), Reason::protocol) << bad.message;
        EXPECT_EQ(outcome.error().message(), bad.message);
        pass(5s);
    }
    EXPECT_EQ(seen().size(), 0U);
}

TEST_F(OAuth2Test, reads_the_life_of_a_token_in_every_spelling) {
    const auto life = [](const std::string& json) {
        const TokenAnswer read = TokenRequest::read(R"({"access_token":"a",)" + json + "}");
        return read.token.value().life;
    };

    EXPECT_EQ(life(R"("expires_in":60)"), Duration(60s));
    EXPECT_EQ(life(R"("expires_in":"60")"), Duration(60s));
    EXPECT_EQ(life(R"("expires_in":60.9)"), Duration(60s));
    EXPECT_EQ(life(R"("expires_in":-1)"), Duration(0s));
    EXPECT_EQ(life(R"("expires_in":1e300)"), Duration(366 * 24h));
    EXPECT_EQ(life(R"("expires_in":null)"), std::nullopt);
    EXPECT_EQ(life(R"("expires_in":"soon")"), std::nullopt);
    EXPECT_EQ(life(R"("token_type":"BEARER")"), std::nullopt);
}

TEST_F(OAuth2Test, says_of_every_failure_that_it_was_the_token_request) {
    network_.names.error = net::error::host_not_found;
    EXPECT_EQ(deliver().reason(), Reason::dns);
    EXPECT_EQ(bench_.outcome().error().message(),
              "token request: " + error_code(net::error::host_not_found).message());

    pass(5s);
    network_.names.error = {};
    network_.on_connect = [](const ConnectTarget&) { return net::error::connection_refused; };
    EXPECT_EQ(deliver().reason(), Reason::connect);
    EXPECT_EQ(bench_.outcome().error().message(), "token request: Connection refused");

    pass(5s);
    network_.on_connect = nullptr;
    network_.on_connected = [](FakeWire& wire) { wire.end(net::error::eof); };
    EXPECT_EQ(deliver().reason(), Reason::reset);
    EXPECT_TRUE(bench_.outcome().error().message().starts_with("token request: "));
}

TEST_F(OAuth2Test, does_not_ask_for_every_event_while_there_is_no_token_to_be_had) {
    token_answer_ = answer("", "500 No");
    const std::string message = "the token request was answered 500";

    for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver().error().message(), message);
    EXPECT_EQ(token_requests_.size(), 1U);
    pass(5s - 1ms);
    EXPECT_EQ(deliver().error().message(), message);
    EXPECT_EQ(token_requests_.size(), 1U);
    pass(1ms);
    token_answer_.reset();

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(token_requests_.size(), 2U);
}

TEST_F(OAuth2Test, leaves_the_token_endpoint_alone_for_as_long_as_it_asks_but_an_hour_at_most) {
    for (const auto& [asked, wait] : {std::pair<std::string, Duration>("60", 60s),
                                      {"1", 5s},
                                      {"999999999999", 1h},
                                      {"soon", 5s}}) {
        token_requests_.clear();
        token_answer_ =
            "HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After: " + asked + "\r\n\r\n";
        EXPECT_EQ(deliver().reason(), Reason::protocol);
        pass(wait - 1ms);
        EXPECT_EQ(deliver().reason(), Reason::protocol);
        EXPECT_EQ(token_requests_.size(), 1U) << asked;
        pass(1ms);
        EXPECT_EQ(deliver().reason(), Reason::protocol);
        EXPECT_EQ(token_requests_.size(), 2U) << asked;
        pass(1h);
    }
}

TEST_F(OAuth2Test, holds_a_token_that_has_no_life_for_five_seconds) {
    for (const char* const life : {"0", "-1", "0.5"}) {
        expires_in_ = life;
        token_requests_.clear();
        for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver().verdict(), Verdict::delivered);
        EXPECT_EQ(token_requests_.size(), 1U) << life;
        pass(5s);
    }
}

TEST_F(OAuth2Test, asks_no_token_endpoint_at_an_address_that_is_denied) {
    network_.names.addresses = {net::ip::make_address("169.254.169.254")};

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.reason(), Reason::blocked);
    EXPECT_TRUE(outcome.error().message().starts_with("token request: egress.deny refuses"))
        << outcome.error().message();
    EXPECT_TRUE(network_.targets.empty());
    EXPECT_EQ(network_.asked, std::vector<std::string>{"login.test"});
}

TEST_F(OAuth2Test, asks_for_tokens_by_way_of_the_proxy) {
    options_.proxy = "http://me:secret@proxy.test:3128";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.asked.at(0), "proxy.test");
    EXPECT_EQ(network_.targets.at(0).port, 3128);
    const std::string& sent = token_requests_.at(0);
    EXPECT_TRUE(
        sent.starts_with("POST http://login.test:8444/token?a=b HTTP/1.1\r\n"
                         "Host: login.test:8444\r\n"))
        << sent;
    EXPECT_NE(sent.find("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"), std::string::npos);
}

TEST_F(OAuth2Test, asks_for_tokens_through_a_tunnel_of_the_proxys) {
    options_.proxy = "http://me:secret@proxy.test:3128";
    options_.auth.token_url = "https://login.test/token?a=b";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    const ConnectTarget& target = network_.targets.at(0);
    ASSERT_NE(target.tunnel, nullptr);
    EXPECT_TRUE(target.tunnel->request.starts_with("CONNECT login.test:443 HTTP/1.1\r\n"));
    EXPECT_NE(target.tunnel->request.find("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"),
              std::string::npos);
    EXPECT_EQ(target.server_name, "login.test");
    EXPECT_TRUE(token_requests_.at(0).starts_with("POST /token?a=b HTTP/1.1\r\n"));
    EXPECT_EQ(token_requests_.at(0).find("Proxy-"), std::string::npos);
}

TEST_F(OAuth2Test, tells_a_proxy_that_wants_a_password_from_the_token_endpoint) {
    options_.proxy = "http://proxy.test:3128";
    token_answer_ = answer("", "407 No");

    EXPECT_EQ(deliver().reason(), Reason::connect);
    EXPECT_EQ(bench_.outcome().error().message(),
              "token request: the proxy answered with status 407");
}

TEST_F(OAuth2Test, gives_the_token_request_ten_seconds_however_short_the_timeout) {
    options_.timeout = 1s;
    token_answer_ = "";
    begin(bench_);

    pass(10s - 1ms);
    EXPECT_FALSE(bench_.is_done());
    pass(1ms);

    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
    EXPECT_EQ(bench_.outcome().error().message(), "token request: Connection timed out");
    EXPECT_TRUE(network_.wires.at(0)->is_closed);
}

TEST_F(OAuth2Test, leaves_the_event_its_own_time_after_the_token) {
    options_.timeout = 1s;
    token_answer_ = "";
    begin(bench_);
    pass(9s);
    network_.wires.at(0)->answer(answer(R"({"access_token":"x"})"));
    pass(0ms);

    EXPECT_EQ(bench_.outcome().verdict(), Verdict::delivered);
}

TEST_F(OAuth2Test, uses_the_client_secret_of_now) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    secret_.write("other");
    pass(600s);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_NE(token_requests_.at(1).find(base64("me+%26+you:other")), std::string::npos);
}

}  // namespace
}  // namespace fanfare
