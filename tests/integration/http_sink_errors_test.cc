// What may go wrong on the way to a receiver, and with TLS.
#include <gtest/gtest.h>

#include "fanfare/http_sink.h"
#include "http/connector.h"
#include "http/resolver.h"
#include "support/imposter.h"
#include "support/sink_bench.h"
#include "support/test_ca.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::Imposter;
using test::ImposterReply;
using test::RawTls;
using test::Recorded;
using test::TestCa;

class HttpSinkErrorsTest : public testing::Test {
  protected:
    static HttpSinkOptions options(const std::string& url) {
        HttpSinkOptions options;
        options.url = url;
        options.timeout = 10s;
        return options;
    }

    HttpSinkOptions trusting(const Imposter& imposter) const {
        HttpSinkOptions trusting = options(imposter.url());
        trusting.tls.ca_file = ca_.ca_file();
        return trusting;
    }

    void make_sink(HttpSinkOptions options) {
        const Result<SinkMaker> maker =
            make_http_sink_maker(std::move(options), resolver_, connector_);
        ASSERT_TRUE(maker.has_value()) << maker.error().message();
        bench_.sink = (*maker)(bench_.sink_context);
    }

    void begin() {
        EventFields fields;
        fields.id = "id";
        bench_.begin({Event::make("{}", fields)});
    }
    Outcome deliver() {
        begin();
        return bench_.finish();
    }
    Outcome deliver_by(HttpSinkOptions options) {
        make_sink(std::move(options));
        return deliver();
    }

    static ThreadedResolver::Options known_names() {
        ThreadedResolver::Options options;
        options.lookup = [](const std::string& host) {
            Resolved resolved;
            if (host == "localhost") {
                resolved.addresses = {net::ip::make_address("127.0.0.1")};
            } else if (host == "both.test") {
                // Nothing listens on the first one's port.
                resolved.addresses = {net::ip::make_address("127.0.0.2"),
                                      net::ip::make_address("127.0.0.1")};
            } else {
                resolved.error = net::error::host_not_found;
            }
            return resolved;
        };
        return options;
    }

    std::unique_ptr<RawTls> tls(const TestCa::Subject& subject = {}) {
        RawTls::Options options;
        const test::CertificateFiles files = ca_.issue(subject);
        options.cert_file = files.cert_file;
        options.key_file = files.key_file;
        return std::make_unique<RawTls>(options);
    }

    TestCa ca_;
    SteadyClock clock_;
    ThreadedResolver resolver_{clock_, known_names()};
    TcpConnector connector_;
    test::SinkBench bench_{clock_};
};

/// A port that nobody listens on.
std::uint16_t dead_port() { return Imposter().port(); }

// Acceptance 19.
TEST_F(HttpSinkErrorsTest, says_connect_when_refused) {
    const Outcome outcome =
        deliver_by(options("http://127.0.0.1:" + std::to_string(dead_port()) + "/"));

    EXPECT_EQ(outcome.verdict(), Verdict::retry);
    EXPECT_EQ(outcome.reason(), Reason::connect);
    EXPECT_EQ(outcome.error(), net::error::connection_refused);
    EXPECT_EQ(outcome.http_status(), 0);
    EXPECT_EQ(bench_.metrics.connections_opened(), 0U);
}

TEST_F(HttpSinkErrorsTest, says_dns_when_the_name_is_unknown) {
    const Outcome outcome = deliver_by(options("http://unknown.test/"));

    EXPECT_EQ(outcome.reason(), Reason::dns);
    EXPECT_EQ(outcome.error(), net::error::host_not_found);
}

TEST_F(HttpSinkErrorsTest, tries_all_addresses_of_a_name) {
    Imposter imposter;

    const Outcome outcome =
        deliver_by(options("http://both.test:" + std::to_string(imposter.port()) + "/"));

    EXPECT_EQ(outcome.verdict(), Verdict::delivered);
    EXPECT_EQ(imposter.requests().at(0).header("Host"),
              "both.test:" + std::to_string(imposter.port()));
}

// Acceptance 19; TestHTTPSink's connection closed by the peer.
TEST_F(HttpSinkErrorsTest, says_reset_when_the_connection_ends_without_an_answer) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        switch (number) {
            case 0:
                return ImposterReply::close();
            case 1:
                return ImposterReply::reset();
            default:
                return ImposterReply::raw("HTTP/1.1 200 OK\r\nContent-Le").then_close();
        }
    });
    make_sink(options(imposter.url()));

    for (int i = 0; i < 3; ++i) {
        const Outcome outcome = deliver();
        EXPECT_EQ(outcome.verdict(), Verdict::retry) << i;
        EXPECT_EQ(outcome.reason(), Reason::reset) << i;
        EXPECT_EQ(outcome.http_status(), 0) << i;
    }
    EXPECT_EQ(imposter.requests().size(), 3U);
}

TEST_F(HttpSinkErrorsTest, says_protocol_when_the_answer_is_not_http) {
    Imposter imposter([](const Recorded&, std::size_t number) {
        switch (number) {
            case 0:
                return ImposterReply::raw("SSH-2.0-OpenSSH_9.2\r\n").then_hang();
            case 1:
                return ImposterReply::raw("HTTP/1.1 200 OK\nContent-Length: 0\n\n").then_hang();
            case 2:
                return ImposterReply::raw(
                           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n")
                    .then_hang();
            default:
                return ImposterReply::raw("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'))
                    .then_hang();
        }
    });
    make_sink(options(imposter.url()));

    for (int i = 0; i < 4; ++i) {
        const Outcome outcome = deliver();
        EXPECT_EQ(outcome.verdict(), Verdict::retry) << i;
        EXPECT_EQ(outcome.reason(), Reason::protocol) << i;
    }
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

// Acceptance 21.
TEST_F(HttpSinkErrorsTest, says_timeout_and_hangs_up_when_no_answer_comes_in_time) {
    Imposter imposter([](const Recorded&, std::size_t) { return ImposterReply::hang(); });
    HttpSinkOptions impatient = options(imposter.url());
    impatient.timeout = 100ms;

    const TimePoint start = clock_.now();
    const Outcome outcome = deliver_by(impatient);
    const Duration took = clock_.now() - start;

    EXPECT_EQ(outcome.verdict(), Verdict::retry);
    EXPECT_EQ(outcome.reason(), Reason::timeout);
    EXPECT_GE(took, 100ms);
    EXPECT_LT(took, 5s);
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

TEST_F(HttpSinkErrorsTest, lets_a_status_count_whose_body_stalls_until_the_timeout) {
    Imposter imposter([](const Recorded&, std::size_t) {
        return ImposterReply::raw("HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\nabc")
            .then_hang();
    });
    HttpSinkOptions impatient = options(imposter.url());
    impatient.timeout = 100ms;

    EXPECT_EQ(deliver_by(impatient).http_status(), 202);
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

TEST_F(HttpSinkErrorsTest, ends_a_tls_handshake_at_the_connect_timeout) {
    // It reads the ClientHello as a request that never comes to its end.
    Imposter imposter;
    HttpSinkOptions impatient =
        options("https://127.0.0.1:" + std::to_string(imposter.port()) + "/");
    impatient.connect_timeout = 100ms;

    EXPECT_EQ(deliver_by(impatient).reason(), Reason::timeout);
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

TEST_F(HttpSinkErrorsTest, is_aborted_and_hangs_up_when_cancelled) {
    Imposter imposter([](const Recorded&, std::size_t) { return ImposterReply::hang(); });
    make_sink(options(imposter.url()));
    begin();
    while (imposter.requests().empty()) bench_.context.run_one_for(1ms);

    bench_.cancel();

    EXPECT_EQ(bench_.finish().verdict(), Verdict::aborted);
    EXPECT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));
}

// Acceptance 28, the distribution's TestHTTPSink with an untrusted certificate.
TEST_F(HttpSinkErrorsTest, says_tls_and_why_when_the_authority_is_not_trusted) {
    Imposter imposter(Imposter::always(200), tls());

    const Outcome outcome = deliver_by(options(imposter.url()));

    EXPECT_EQ(outcome.verdict(), Verdict::retry);
    EXPECT_EQ(outcome.reason(), Reason::tls);
    EXPECT_EQ(outcome.error().message(),
              "certificate refused: unable to get local issuer certificate");
    EXPECT_TRUE(imposter.requests().empty());
}

// Acceptance 28.
TEST_F(HttpSinkErrorsTest, delivers_over_tls_when_the_authority_is_configured) {
    Imposter imposter(Imposter::always(200), tls());

    const Outcome outcome = deliver_by(trusting(imposter));

    EXPECT_EQ(outcome.verdict(), Verdict::delivered) << outcome.error().message();
    const Recorded request = imposter.requests().at(0);
    EXPECT_EQ(request.body, "{\"events\":[{}]}");
    EXPECT_EQ(request.protocol, "http/1.1");
    EXPECT_EQ(request.server_name, "");  // an IP address is none
}

// Acceptance 28.
TEST_F(HttpSinkErrorsTest, refuses_a_certificate_for_another_name_or_address) {
    TestCa::Subject elsewhere;
    elsewhere.alternative_names = "DNS:elsewhere.test,DNS:*.local,IP:127.0.0.9";
    Imposter imposter(Imposter::always(200), tls(elsewhere));
    HttpSinkOptions by_name = trusting(imposter);
    by_name.url = "https://localhost:" + std::to_string(imposter.port()) + "/";

    EXPECT_EQ(deliver_by(trusting(imposter)).error().message(),
              "certificate refused: IP address mismatch");
    EXPECT_EQ(deliver_by(by_name).error().message(), "certificate refused: hostname mismatch");
    EXPECT_TRUE(imposter.requests().empty());
}

TEST_F(HttpSinkErrorsTest, sends_and_verifies_the_name_of_the_url_or_the_configured_one) {
    TestCa::Subject named;
    named.alternative_names = "DNS:localhost,DNS:other.test";
    Imposter imposter(Imposter::always(200), tls(named));
    HttpSinkOptions by_name = trusting(imposter);
    by_name.url = "https://localhost:" + std::to_string(imposter.port()) + "/";
    HttpSinkOptions configured = trusting(imposter);
    configured.tls.server_name = "other.test";

    EXPECT_EQ(deliver_by(by_name).verdict(), Verdict::delivered);
    EXPECT_EQ(deliver_by(configured).verdict(), Verdict::delivered);
    EXPECT_EQ(imposter.requests().at(0).server_name, "localhost");
    EXPECT_EQ(imposter.requests().at(1).server_name, "other.test");
}

TEST_F(HttpSinkErrorsTest, refuses_an_expired_certificate) {
    TestCa::Subject expired;
    expired.is_expired = true;
    Imposter imposter(Imposter::always(200), tls(expired));

    EXPECT_EQ(deliver_by(trusting(imposter)).error().message(),
              "certificate refused: certificate has expired");
}

// TestHTTPSink with InsecureSkipVerify.
TEST_F(HttpSinkErrorsTest, trusts_anybody_when_told_to) {
    TestCa::Subject wrong;
    wrong.alternative_names = "DNS:elsewhere.test";
    wrong.is_expired = true;
    Imposter imposter(Imposter::always(200), tls(wrong));
    HttpSinkOptions careless = options(imposter.url());
    careless.tls.insecure_skip_verify = true;

    EXPECT_EQ(deliver_by(careless).verdict(), Verdict::delivered);
}

TEST_F(HttpSinkErrorsTest, refuses_a_server_older_than_the_minimal_version) {
    RawTls::Options old;
    const test::CertificateFiles files = ca_.issue();
    old.cert_file = files.cert_file;
    old.key_file = files.key_file;
    old.version_max = TLS1_2_VERSION;
    Imposter imposter(Imposter::always(200), std::make_unique<RawTls>(old));
    HttpSinkOptions strict = trusting(imposter);
    strict.tls.min_version = TlsOptions::MinVersion::tls1_3;

    EXPECT_EQ(deliver_by(strict).reason(), Reason::tls);
    EXPECT_EQ(deliver_by(trusting(imposter)).verdict(), Verdict::delivered);
}

TEST_F(HttpSinkErrorsTest, shows_its_client_certificate) {
    RawTls::Options asking;
    const test::CertificateFiles files = ca_.issue();
    asking.cert_file = files.cert_file;
    asking.key_file = files.key_file;
    asking.client_ca_file = ca_.ca_file();
    // In TLS 1.3 the client may learn of its refusal by a mere reset.
    asking.version_max = TLS1_2_VERSION;
    Imposter imposter(Imposter::always(200), std::make_unique<RawTls>(asking));
    HttpSinkOptions known = trusting(imposter);
    const test::CertificateFiles mine = ca_.issue();
    known.tls.cert_file = mine.cert_file;
    known.tls.key_file = mine.key_file;

    EXPECT_EQ(deliver_by(known).verdict(), Verdict::delivered);
    EXPECT_EQ(deliver_by(trusting(imposter)).reason(), Reason::tls);
}

TEST_F(HttpSinkErrorsTest, says_tls_when_the_receiver_does_not_speak_it) {
    Imposter plain;
    make_sink(options("https://127.0.0.1:" + std::to_string(plain.port()) + "/"));
    begin();
    while (plain.connections() == 0) bench_.context.run_one_for(1ms);

    plain.end_connections();

    EXPECT_EQ(bench_.finish().reason(), Reason::tls);
}

TEST_F(HttpSinkErrorsTest, reuses_tls_connections_and_resumes_sessions) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        RawTls::Options server;
        const test::CertificateFiles files = ca_.issue();
        server.cert_file = files.cert_file;
        server.key_file = files.key_file;
        server.version_max = version;
        Imposter imposter(
            [](const Recorded&, std::size_t number) {
                return number % 2 == 0
                           ? ImposterReply::status(200)
                           : ImposterReply::status(200, "Connection: close\r\n").then_close();
            },
            std::make_unique<RawTls>(server));
        HttpSinkOptions by_name = trusting(imposter);
        by_name.url = "https://localhost:" + std::to_string(imposter.port()) + "/";
        make_sink(by_name);

        for (int i = 0; i < 6; ++i) EXPECT_EQ(deliver().verdict(), Verdict::delivered);

        const std::vector<Recorded> requests = imposter.requests();
        EXPECT_EQ(imposter.connections(), 3U);
        EXPECT_FALSE(requests.at(0).is_resumed);
        EXPECT_TRUE(requests.at(2).is_resumed) << version;
        EXPECT_TRUE(requests.at(4).is_resumed) << version;
    }
}

TEST_F(HttpSinkErrorsTest, sends_large_bodies_over_tls_whole) {
    Imposter imposter(Imposter::always(200), tls());
    make_sink(trusting(imposter));
    const std::string payload = "{\"x\":\"" + std::string(1'000'000, 'y') + "\"}";
    EventFields fields;
    fields.id = "id";

    bench_.begin({Event::make(payload, fields), Event::make("{}", fields)});

    EXPECT_EQ(bench_.finish().verdict(), Verdict::delivered);
    EXPECT_EQ(imposter.requests().at(0).body, "{\"events\":[" + payload + ",{}]}");
}

TEST_F(HttpSinkErrorsTest, replaces_a_stale_tls_connection) {
    Imposter imposter(Imposter::always(200), tls());
    make_sink(trusting(imposter));
    ASSERT_EQ(deliver().verdict(), Verdict::delivered);

    imposter.end_connections();
    ASSERT_TRUE(imposter.wait_until([&] { return imposter.open_connections() == 0; }));

    EXPECT_EQ(deliver().verdict(), Verdict::delivered);
    EXPECT_EQ(imposter.requests().size(), 2U);
}

}  // namespace
}  // namespace fanfare
