// Where the HTTP sink connects to, and where it does not, on a network of the test's.
#include <gtest/gtest.h>

#include "fanfare/http_sink.h"
#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/sink_bench.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::FakeWire;
using test::ok_answer;

class EgressSinkTest : public testing::Test {
  protected:
    EgressSinkTest() {
        options_.url = "http://receiver.test/hook";
        answer_with({"192.0.2.1"});
        network_.on_connected = [](FakeWire& wire) {
            wire.on_sent = [&wire] { wire.answer(ok_answer); };
        };
    }

    void answer_with(const std::vector<std::string>& addresses) {
        network_.names.addresses.clear();
        for (const std::string& address : addresses) {
            network_.names.addresses.push_back(net::ip::make_address(address));
        }
    }

    Outcome deliver() {
        if (!bench_.sink) {
            Result<SinkMaker> maker = make_http_sink_maker(options_, network_, network_);
            EXPECT_TRUE(maker.has_value()) << maker.error().message();
            bench_.sink = (*maker)(bench_.sink_context);
        }
        EventFields fields;
        fields.id = "id";
        bench_.begin({Event::make("{}", fields)});
        advance(0ms);
        return bench_.outcome();
    }
    void advance(Duration step) { clock_.advance(step, bench_.context); }

    std::string refusal() {
        const Result<SinkMaker> maker = make_http_sink_maker(options_, network_, network_);
        return maker.has_error() ? maker.error().message() : "";
    }

    std::vector<std::string> connects() const {
        std::vector<std::string> addresses;
        for (const ConnectTarget& target : network_.targets) {
            addresses.push_back(target.address.to_string());
        }
        return addresses;
    }

    HttpSinkOptions options_;
    test::ManualClock clock_;
    test::FakeNetwork network_;
    test::SinkBench bench_{clock_};
};

using Addresses = std::vector<std::string>;

TEST_F(EgressSinkTest, opens_no_connection_to_an_address_that_is_denied) {
    answer_with({"169.254.169.254", "::ffff:100.100.100.200"});

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.verdict(), Verdict::retry);
    EXPECT_EQ(outcome.reason(), Reason::blocked);
    EXPECT_NE(outcome.error().message().find("100.100.100.200/32"), std::string::npos);
    EXPECT_EQ(connects(), Addresses{});
}

// DNS rebinding: a name that was harmless when it was looked at first.
TEST_F(EgressSinkTest, opens_no_connection_when_a_second_answer_is_a_metadata_address) {
    ASSERT_EQ(deliver().verdict(), Verdict::delivered);
    answer_with({"169.254.169.254"});
    network_.wires.at(0)->is_stale = true;
    advance(1s);

    EXPECT_EQ(deliver().reason(), Reason::blocked);
    EXPECT_EQ(deliver().reason(), Reason::blocked);

    EXPECT_EQ(connects(), Addresses{"192.0.2.1"});
    EXPECT_EQ(network_.asked.size(), 3U);  // once per connection, and not again in between
}

TEST_F(EgressSinkTest, asks_once_per_connection) {
    answer_with({"192.0.2.1", "192.0.2.2"});
    network_.on_connect = [](const ConnectTarget&) { return net::error::connection_refused; };

    EXPECT_EQ(deliver().reason(), Reason::connect);

    EXPECT_EQ(network_.asked.size(), 1U);
    EXPECT_EQ(connects(), (Addresses{"192.0.2.1", "192.0.2.2"}));
}

TEST_F(EgressSinkTest, uses_only_the_allowed_addresses_of_a_host) {
    answer_with({"169.254.169.254", "192.0.2.1", "fe80::1"});

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(connects(), Addresses{"192.0.2.1"});
}

TEST_F(EgressSinkTest, tells_of_the_allowed_address_that_failed) {
    answer_with({"192.0.2.1", "169.254.169.254"});
    network_.on_connect = [](const ConnectTarget&) { return net::error::connection_refused; };

    EXPECT_EQ(deliver().reason(), Reason::connect);
}

TEST_F(EgressSinkTest, gives_denied_addresses_no_share_of_the_time) {
    options_.timeout = 1s;
    answer_with({"192.0.2.1", "169.254.169.254", "fe80::1"});
    network_.on_connect = [](const ConnectTarget&) { return net::error::in_progress; };
    Result<SinkMaker> maker = make_http_sink_maker(options_, network_, network_);
    bench_.sink = (*maker)(bench_.sink_context);
    bench_.begin({Event::make("{}", EventFields{})});

    advance(999ms);
    EXPECT_FALSE(bench_.is_done());
    advance(1ms);

    EXPECT_EQ(bench_.outcome().reason(), Reason::timeout);
}

TEST_F(EgressSinkTest, reaches_loopback_unless_everything_private_is_denied) {
    answer_with({"127.0.0.1"});
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    bench_.sink.reset();
    options_.egress.deny = EgressOptions::Deny::non_public;
    EXPECT_EQ(deliver().reason(), Reason::blocked);

    bench_.sink.reset();
    options_.egress.allow = {"127.0.0.0/8"};
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
}

TEST_F(EgressSinkTest, delivers_anywhere_if_nothing_is_denied) {
    options_.egress.deny = EgressOptions::Deny::none;
    answer_with({"169.254.169.254"});

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
}

TEST_F(EgressSinkTest, is_not_made_for_a_url_that_is_denied_as_it_stands) {
    options_.egress.https_only = true;
    EXPECT_NE(refusal().find("https_only"), std::string::npos);

    // A proxy does not help.
    options_.proxy = "http://proxy.test:3128";
    EXPECT_NE(refusal().find("https_only"), std::string::npos);

    options_.egress = {};
    options_.egress.ports = {443};
    EXPECT_NE(refusal().find("egress.ports"), std::string::npos);

    options_.egress = {};
    options_.egress.hosts = {"*.example.com"};
    EXPECT_NE(refusal().find("egress.hosts"), std::string::npos);

    options_.egress.hosts = {"receiver.test"};
    EXPECT_EQ(refusal(), "");
}

TEST_F(EgressSinkTest, says_what_is_wrong_with_its_options) {
    options_.egress.allow = {"10.0.0.1/8"};
    EXPECT_NE(refusal().find("10.0.0.1/8"), std::string::npos);

    options_.egress = {};
    options_.proxy = "https://u:secret@proxy.test";
    EXPECT_NE(refusal().find("proxy"), std::string::npos);
    EXPECT_EQ(refusal().find("secret"), std::string::npos);

    options_.proxy = "http://proxy.test";
    options_.no_proxy = {"*"};
    EXPECT_NE(refusal().find("no_proxy"), std::string::npos);
}

TEST_F(EgressSinkTest, asks_a_proxy_for_an_http_url_as_a_whole) {
    options_.url = "http://user:pass@receiver.test:8080/hook?a=b";
    options_.proxy = "http://me:secret@proxy.test:3128";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.asked, Addresses{"proxy.test"});
    EXPECT_EQ(network_.targets.at(0).port, 3128);
    EXPECT_EQ(network_.targets.at(0).tunnel, nullptr);
    const std::string& sent = network_.wires.at(0)->sent;
    EXPECT_TRUE(
        sent.starts_with("POST http://receiver.test:8080/hook?a=b HTTP/1.1\r\n"
                         "Host: receiver.test:8080\r\n"))
        << sent;
    EXPECT_NE(sent.find("\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"), std::string::npos);
    EXPECT_NE(sent.find("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"), std::string::npos);
}

TEST_F(EgressSinkTest, asks_a_proxy_for_a_tunnel_to_an_https_url) {
    options_.url = "https://receiver.test/hook";
    options_.proxy = "http://me:secret@proxy.test";

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    const ConnectTarget& target = network_.targets.at(0);
    EXPECT_EQ(network_.asked, Addresses{"proxy.test"});
    EXPECT_EQ(target.port, 80);
    ASSERT_NE(target.tunnel, nullptr);
    EXPECT_TRUE(target.tunnel->request.starts_with("CONNECT receiver.test:443 HTTP/1.1\r\n"));
    EXPECT_NE(target.tls, nullptr);
    EXPECT_EQ(target.server_name, "receiver.test");
    const std::string& sent = network_.wires.at(0)->sent;
    EXPECT_TRUE(sent.starts_with("POST /hook HTTP/1.1\r\nHost: receiver.test\r\n")) << sent;
    EXPECT_EQ(sent.find("Proxy-"), std::string::npos);
}

TEST_F(EgressSinkTest, passes_the_proxy_by_for_listed_hosts) {
    options_.proxy = "http://me:secret@proxy.test:3128";
    options_.no_proxy = {".test"};

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(network_.asked, Addresses{"receiver.test"});
    EXPECT_EQ(network_.targets.at(0).port, 80);
    EXPECT_TRUE(network_.wires.at(0)->sent.starts_with("POST /hook HTTP/1.1\r\n"));
    EXPECT_EQ(network_.wires.at(0)->sent.find("Proxy-"), std::string::npos);
}

TEST_F(EgressSinkTest, judges_the_address_of_the_proxy) {
    options_.proxy = "http://proxy.test:3128";
    answer_with({"169.254.169.254"});

    EXPECT_EQ(deliver().reason(), Reason::blocked);

    EXPECT_EQ(connects(), Addresses{});
}

TEST_F(EgressSinkTest, does_not_ask_a_proxy_for_an_address_that_is_denied) {
    options_.proxy = "http://proxy.test:3128";
    for (const char* const url :
         {"http://169.254.169.254/", "https://169.254.169.254/", "http://0xa9fea9fe/",
          "http://2852039166/", "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/",
          "http://169.254.169.254./", "https://0xA9FEA9FE./"}) {
        bench_.sink.reset();
        options_.url = url;
        EXPECT_EQ(deliver().reason(), Reason::blocked) << url;
    }
    EXPECT_EQ(network_.asked, Addresses{});
    EXPECT_EQ(connects(), Addresses{});
}

TEST_F(EgressSinkTest, does_not_take_a_proxy_that_wants_a_password_for_the_receiver) {
    options_.proxy = "http://proxy.test:3128";
    options_.success = {{200, 499}};
    network_.on_connected = [](FakeWire& wire) {
        wire.on_sent = [&wire] { wire.answer("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"); };
    };

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.verdict(), Verdict::retry);
    EXPECT_EQ(outcome.reason(), Reason::connect);
    EXPECT_EQ(outcome.http_status(), 0);
    EXPECT_EQ(outcome.error().message(), "the proxy answered with status 407");
}

TEST_F(EgressSinkTest, takes_407_for_the_receivers_where_no_proxy_relays) {
    network_.on_connected = [](FakeWire& wire) {
        wire.on_sent = [&wire] { wire.answer("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"); };
    };

    EXPECT_EQ(deliver().http_status(), 407);
}

TEST_F(EgressSinkTest, says_that_it_is_the_proxy_that_cannot_be_reached) {
    options_.proxy = "http://proxy.test:3128";
    network_.on_connect = [](const ConnectTarget&) { return net::error::connection_refused; };

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.reason(), Reason::connect);
    EXPECT_EQ(outcome.error().message(), "the proxy cannot be reached: Connection refused");
}

}  // namespace
}  // namespace fanfare
