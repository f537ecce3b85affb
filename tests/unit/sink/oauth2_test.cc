// Tokens that are kept, renewed and refused, on a network of the test's.
#include "oauth2_support.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::answer;

using OAuth2Test = test::OAuth2Bench;

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

}  // namespace
}  // namespace fanfare
