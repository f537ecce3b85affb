// Requests for tokens: how they are sent, where to, and what may come back.
#include "base/base64.h"
#include "oauth2_support.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::FakeWire;

using TokenRequestTest = test::OAuth2Bench;

TEST_F(TokenRequestTest, asks_by_client_credentials) {
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

struct BadAnswer {
    std::string answer;
    std::string message;
};

TEST_F(TokenRequestTest, takes_a_bad_answer_for_an_error_of_the_attempt) {
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

TEST_F(TokenRequestTest, reads_the_life_of_a_token_in_every_spelling) {
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

TEST_F(TokenRequestTest, says_of_every_failure_that_it_was_the_token_request) {
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

TEST_F(TokenRequestTest, asks_no_token_endpoint_at_an_address_that_is_denied) {
    network_.names.addresses = {net::ip::make_address("169.254.169.254")};

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.reason(), Reason::blocked);
    EXPECT_TRUE(outcome.error().message().starts_with("token request: egress.deny refuses"))
        << outcome.error().message();
    EXPECT_TRUE(network_.targets.empty());
    EXPECT_EQ(network_.asked, std::vector<std::string>{"login.test"});
}

TEST_F(TokenRequestTest, asks_for_tokens_by_way_of_the_proxy) {
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

TEST_F(TokenRequestTest, asks_for_tokens_through_a_tunnel_of_the_proxys) {
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

TEST_F(TokenRequestTest, tells_a_proxy_that_wants_a_password_from_the_token_endpoint) {
    options_.proxy = "http://proxy.test:3128";
    token_answer_ = answer("", "407 No");

    EXPECT_EQ(deliver().reason(), Reason::connect);
    EXPECT_EQ(bench_.outcome().error().message(),
              "token request: the proxy answered with status 407");
}

TEST_F(TokenRequestTest, gives_the_token_request_ten_seconds_however_short_the_timeout) {
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

TEST_F(TokenRequestTest, leaves_the_event_its_own_time_after_the_token) {
    options_.timeout = 1s;
    token_answer_ = "";
    begin(bench_);
    pass(9s);
    network_.wires.at(0)->answer(answer(R"({"access_token":"x"})"));
    pass(0ms);

    EXPECT_EQ(bench_.outcome().verdict(), Verdict::delivered);
}

TEST_F(TokenRequestTest, uses_the_client_secret_of_now) {
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    secret_.write("other");
    pass(600s);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_NE(token_requests_.at(1).find(base64("me+%26+you:other")), std::string::npos);
}

}  // namespace
}  // namespace fanfare
