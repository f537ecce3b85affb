#include "fanfare/http_sink.h"

#include <gtest/gtest.h>

#include <regex>

#include "http/connector.h"
#include "http/resolver.h"
#include "support/imposter.h"
#include "support/sink_bench.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Imposter;
using test::ImposterReply;
using test::Recorded;

EventPtr make_event(const std::string& id, const std::string& payload = "{\"action\":\"push\"}",
                    MediaType type = MediaType::registry_v1) {
    EventFields fields;
    fields.id = id;
    return Event::make(payload, fields, type);
}

/// An HttpSink in real time against an Imposter.
class HttpSinkTest : public testing::Test {
  protected:
    /// The sink has more than enough time, unless a test is about time.
    static HttpSinkOptions options(const std::string& url) {
        HttpSinkOptions options;
        options.url = url;
        options.timeout = 10s;
        return options;
    }

    void make_sink(HttpSinkOptions options) {
        const Result<SinkMaker> maker =
            make_http_sink_maker(std::move(options), resolver_, connector_);
        ASSERT_TRUE(maker.has_value()) << maker.error().message();
        bench_.sink = (*maker)(bench_.sink_context);
    }
    void make_sink(const Imposter& imposter) { make_sink(options(imposter.url())); }

    Outcome deliver(std::vector<EventPtr> batch, unsigned number = 1) {
        bench_.begin(std::move(batch), number);
        return bench_.finish();
    }
    Outcome deliver(const EventPtr& event, unsigned number = 1) {
        return deliver(std::vector<EventPtr>{event}, number);
    }
    Outcome deliver() { return deliver(make_event("id")); }

    void expect_delivery(std::vector<EventPtr> batch) {
        EXPECT_EQ(deliver(std::move(batch)).verdict(), Verdict::delivered);
    }

    std::uint64_t connections_opened() const { return bench_.metrics.connections_opened(); }

    SteadyClock clock_;
    ThreadedResolver resolver_{clock_, {}};
    TcpConnector connector_;
    test::SinkBench bench_{clock_};
};

TEST_F(HttpSinkTest, posts_the_envelope_of_the_contract) {
    Imposter imposter;
    make_sink(options(imposter.url("/hook?source=registry")));

    const Outcome outcome = deliver(make_event("id-1", "{\n   \"size\": 9007199254740993\n}"));

    EXPECT_EQ(outcome.verdict(), Verdict::delivered);
    EXPECT_EQ(outcome.http_status(), 200);
    const Recorded request = imposter.requests().at(0);
    EXPECT_EQ(request.body, "{\"events\":[{\n   \"size\": 9007199254740993\n}]}");
    const std::regex head(
        "POST /hook\\?source=registry HTTP/1\\.1\r\n"
        "Host: 127\\.0\\.0\\.1:[0-9]+\r\n"
        "User-Agent: fanfare/[0-9.]+\r\n"
        "Content-Type: application/vnd\\.docker\\.distribution\\.events\\.v1\\+json\r\n"
        "Content-Length: 44\r\n"
        "webhook-id: id-1\r\n"
        "webhook-timestamp: [0-9]{10}\r\n"
        "fanfare-attempt: 1\r\n\r\n");
    EXPECT_TRUE(std::regex_match(request.head, head)) << request.head;
}

TEST_F(HttpSinkTest, posts_a_batch_as_one_envelope_with_an_id_of_its_own) {
    Imposter imposter;
    HttpSinkOptions batching = options(imposter.url());
    batching.instance = "instance";
    make_sink(batching);
    const std::vector<EventPtr> batch = {make_event("a", "{\"n\":1}"), make_event("b", "{}")};

    EXPECT_EQ(deliver(batch, 1).verdict(), Verdict::delivered);
    EXPECT_EQ(deliver(batch, 2).verdict(), Verdict::delivered);

    const std::vector<Recorded> requests = imposter.requests();
    EXPECT_EQ(requests.at(0).body, R"({"events":[{"n":1},{}]})");
    EXPECT_EQ(requests.at(0).header("webhook-id"), "instance-0-0");
    EXPECT_EQ(requests.at(1).header("webhook-id"), "instance-0-0");
}

TEST_F(HttpSinkTest, posts_bare_events_where_asked_for) {
    Imposter imposter;
    HttpSinkOptions bare = options(imposter.url());
    bare.format = BodyFormat::event;
    make_sink(bare);

    expect_delivery({make_event("a", "{\n \"n\": 1\n}")});
    expect_delivery({make_event("a", "{\n \"n\": 1\r\n}"), make_event("b", "{}")});

    const std::vector<Recorded> requests = imposter.requests();
    EXPECT_EQ(requests.at(0).body, "{\n \"n\": 1\n}");
    EXPECT_EQ(requests.at(0).header("Content-Type"), "application/json");
    EXPECT_EQ(requests.at(1).body, "{ \"n\": 1}\n{}\n");
    EXPECT_EQ(requests.at(1).header("Content-Type"), "application/x-ndjson");
}

TEST_F(HttpSinkTest, passes_the_trace_of_the_event_on) {
    Imposter imposter;
    make_sink(imposter);
    EventFields fields;
    fields.id = "id";
    fields.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    fields.tracestate = "vendor=x";

    expect_delivery({Event::make("{}", fields)});

    EXPECT_EQ(imposter.requests().at(0).header("traceparent"), fields.traceparent);
    EXPECT_EQ(imposter.requests().at(0).header("tracestate"), fields.tracestate);
}

// Acceptance 20: retries differ in timestamp and attempt number only.
TEST_F(HttpSinkTest, repeats_an_event_byte_for_byte) {
    Imposter imposter(Imposter::in_turn({500, 503, 429, 200}));
    make_sink(imposter);
    const EventPtr event = make_event("not safe in a header \xc3\xa9");

    for (unsigned number = 1; number <= 4; ++number) {
        EXPECT_EQ(deliver(event, number).verdict(),
                  number < 4 ? Verdict::retry : Verdict::delivered);
    }

    const std::regex changing("(webhook-timestamp|fanfare-attempt): [0-9]+\r\n");
    const std::vector<Recorded> requests = imposter.requests();
    ASSERT_EQ(requests.size(), 4U);
    const std::string first = std::regex_replace(requests[0].text(), changing, "");
    for (unsigned i = 0; i < 4; ++i) {
        EXPECT_EQ(std::regex_replace(requests[i].text(), changing, ""), first);
        EXPECT_EQ(requests[i].header("fanfare-attempt"), std::to_string(i + 1));
    }
    EXPECT_EQ(requests[0].header("webhook-id"), header_id(event->id()));
}

// Acceptance 17 and 18; TestHTTPSink's statuses, with 307 without Location a failure here.
TEST_F(HttpSinkTest, tells_deliveries_from_failures_by_status) {
    const std::vector<int> successes = {200, 201, 202, 204, 299};
    const std::vector<int> failures = {300, 304, 307, 400, 401, 404, 410, 413, 429, 500, 503};
    std::vector<int> all = successes;
    all.insert(all.end(), failures.begin(), failures.end());
    Imposter imposter(Imposter::in_turn(all));
    make_sink(imposter);

    for (const int status : all) {
        const Outcome outcome = deliver();

        EXPECT_EQ(outcome.http_status(), status);
        EXPECT_EQ(outcome.verdict(), status < 300 ? Verdict::delivered : Verdict::retry) << status;
    }
    EXPECT_EQ(imposter.connections(), 1U);
}

// Acceptance 25.
TEST_F(HttpSinkTest, never_follows_a_redirect) {
    Imposter elsewhere;
    const std::string location = "Location: " + elsewhere.url() + "\r\n";
    Imposter imposter([&](const Recorded&, std::size_t number) {
        const std::vector<int> statuses = {301, 302, 303, 307, 308};
        return ImposterReply::status(statuses.at(number), location);
    });
    HttpSinkOptions secret = options(imposter.url());
    secret.headers = {{"Authorization", "Bearer token"}};
    make_sink(secret);

    for (const int status : {301, 302, 303, 307, 308}) {
        const Outcome outcome = deliver();
        EXPECT_EQ(outcome.verdict(), Verdict::retry);
        EXPECT_EQ(outcome.reason(), Reason::status);
        EXPECT_EQ(outcome.http_status(), status);
    }
    EXPECT_EQ(imposter.requests().size(), 5U);
    EXPECT_EQ(elsewhere.connections(), 0U);
}

// Acceptance 26.
TEST_F(HttpSinkTest, sends_configured_headers_and_replaces_defaults_by_them) {
    Imposter imposter;
    HttpSinkOptions with = options(imposter.url());
    with.headers = {{"X-Team", "one"},
                    {"authorization", "Bearer token"},
                    {"X-Team", "two"},
                    {"User-Agent", "mine"},
                    {"content-type", "text/plain"}};
    make_sink(with);

    expect_delivery({make_event("id")});

    const Recorded request = imposter.requests().at(0);
    EXPECT_EQ(request.all("x-team"), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(request.all("Authorization"), std::vector<std::string>{"Bearer token"});
    EXPECT_EQ(request.all("User-Agent"), std::vector<std::string>{"mine"});
    EXPECT_EQ(request.all("Content-Type"), std::vector<std::string>{"text/plain"});
    EXPECT_EQ(request.all("Content-Length").size(), 1U);
    EXPECT_EQ(request.all("Host").size(), 1U);
}

TEST_F(HttpSinkTest, refuses_bad_options_when_it_is_made) {
    const auto problem = [&](const HttpSinkOptions& bad) {
        const Result<SinkMaker> maker = make_http_sink_maker(bad, resolver_, connector_);
        return maker.has_error() ? maker.error().message() : "";
    };
    HttpSinkOptions host = options("http://h/");
    host.headers = {{"Host", "x"}};
    HttpSinkOptions ca = options("https://h/");
    ca.tls.ca_file = "/nonexistent/ca.pem";

    EXPECT_NE(problem(options("ftp://h/")), "");
    EXPECT_NE(problem(host), "");
    EXPECT_EQ(problem(ca),
              "ca_file \"/nonexistent/ca.pem\": cannot be read: No such file or directory");
    EXPECT_EQ(problem(options("http://h/")), "");
}

TEST_F(HttpSinkTest, keeps_its_connection_alive) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        return number % 2 == 0 ? ImposterReply::status(200, "", "some body")
                               : ImposterReply::raw(
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "3\r\nabc\r\n0\r\n\r\n");
    });
    make_sink(imposter);

    for (int i = 0; i < 10; ++i) EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(imposter.connections(), 1U);
    EXPECT_EQ(connections_opened(), 1U);
}

TEST_F(HttpSinkTest, connects_anew_when_the_answer_says_so) {
    const std::vector<std::string> answers = {
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nunasked for",
        "HTTP/1.1 204 No Content\r\n\r\n"};
    Imposter imposter([&](const Recorded&, std::size_t number) {
        return ImposterReply::raw(answers.at(std::min<std::size_t>(number, 3)));
    });
    make_sink(imposter);

    for (int i = 0; i < 5; ++i) EXPECT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(imposter.connections(), 4U);
}

TEST_F(HttpSinkTest, replaces_a_connection_that_went_stale_without_a_failed_attempt) {
    Imposter imposter;
    make_sink(imposter);
    ASSERT_EQ(deliver().verdict(), Verdict::delivered);

    imposter.end_connections();
    ASSERT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(imposter.requests().size(), 2U);
    EXPECT_EQ(connections_opened(), 2U);
}

TEST_F(HttpSinkTest, repeats_at_once_and_once_only_if_a_reused_connection_ends_unanswered) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        return number == 0 ? ImposterReply::status(200) : ImposterReply::close();
    });
    make_sink(imposter);
    ASSERT_EQ(deliver().verdict(), Verdict::delivered);

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.reason(), Reason::reset);
    EXPECT_EQ(imposter.requests().size(), 3U);
    EXPECT_EQ(imposter.connections(), 2U);
}

TEST_F(HttpSinkTest, does_not_repeat_once_an_answer_has_begun) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        return number == 0 ? ImposterReply::status(200)
                           : ImposterReply::raw("HTTP/1.1 2").then_close();
    });
    make_sink(imposter);
    ASSERT_EQ(deliver().verdict(), Verdict::delivered);

    EXPECT_EQ(deliver().reason(), Reason::reset);
    EXPECT_EQ(imposter.requests().size(), 2U);
}

TEST_F(HttpSinkTest, skips_interim_answers) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    });
    make_sink(imposter);

    EXPECT_EQ(deliver().http_status(), 201);
    EXPECT_EQ(deliver().http_status(), 201);
    EXPECT_EQ(imposter.connections(), 1U);
}

TEST_F(HttpSinkTest, takes_101_for_a_failure_and_drops_the_connection) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
            .then_hang();
    });
    make_sink(imposter);

    const Outcome outcome = deliver();

    EXPECT_EQ(outcome.verdict(), Verdict::retry);
    EXPECT_EQ(outcome.http_status(), 101);
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

TEST_F(HttpSinkTest, lets_the_status_decide_whatever_becomes_of_the_body) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    Imposter imposter([&](const Recorded&, std::size_t number) {
        switch (number) {
            case 0:
                return ImposterReply::raw(head + "5\r\nab").then_close();
            case 1:
                return ImposterReply::raw(head + "5\r\nab").then_reset();
            case 2:
                return ImposterReply::raw(head + "no chunk").then_hang();
            default:
                return ImposterReply::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")
                    .then_close();
        }
    });
    make_sink(imposter);

    for (int i = 0; i < 4; ++i) {
        const Outcome outcome = deliver();
        EXPECT_EQ(outcome.verdict(), Verdict::delivered) << i;
        EXPECT_EQ(outcome.http_status(), 200) << i;
    }
    EXPECT_EQ(imposter.connections(), 4U);
}

TEST_F(HttpSinkTest, reads_no_more_than_64_kib_of_an_answer) {
    const std::string body(1024 * 1024, 'x');
    Imposter imposter([&](const Recorded&, std::size_t number) {
        return number == 0 ? ImposterReply::status(200, "", body)
                           : ImposterReply::raw("HTTP/1.1 200 OK\r\n\r\n" + body);
    });
    make_sink(imposter);

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(imposter.connections(), 2U);
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

// TestHTTPSink: a request is answered before it is read to its end.
TEST_F(HttpSinkTest, takes_an_early_answer_to_a_large_body) {
    Imposter imposter(Imposter::always(413));
    make_sink(imposter);
    const std::string payload = "{\"x\":\"" + std::string(8 * 1024 * 1024, 'y') + "\"}";

    EXPECT_EQ(deliver(make_event("id", payload)).http_status(), 413);
    EXPECT_EQ(imposter.requests().at(0).body, "{\"events\":[" + payload + "]}");
}

}  // namespace
}  // namespace fanfare
