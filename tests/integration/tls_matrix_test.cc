// Which certificates are accepted, and what is said about those that are not.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "fanfare/http_sink.h"
#include "http/connector.h"
#include "http/resolver.h"
#include "support/imposter.h"
#include "support/sink_bench.h"
#include "support/test_ca.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::CertificateFiles;
using test::Imposter;
using test::RawTls;
using test::TestCa;

constexpr const char* tls_refusal = "certificate refused: ";

class TlsMatrixTest : public testing::Test {
  protected:
    /// A receiver with this certificate.
    Imposter& receiver(const CertificateFiles& files) {
        RawTls::Options options;
        options.cert_file = files.cert_file;
        options.key_file = files.key_file;
        return receiver(options);
    }
    Imposter& receiver(const RawTls::Options& options) {
        imposter_ =
            std::make_unique<Imposter>(Imposter::always(200), std::make_unique<RawTls>(options));
        return *imposter_;
    }

    /// What comes of a delivery to the receiver under that name: the reason and what is said about
    /// it; `delivered`, if it is.
    std::string deliver(const std::string& host, const TlsOptions& tls) {
        HttpSinkOptions options;
        options.url = "https://" + host + ":" + std::to_string(imposter_->port()) + "/";
        options.timeout = 10s;
        options.tls = tls;
        const Result<SinkMaker> maker =
            make_http_sink_maker(std::move(options), resolver_, connector_);
        EXPECT_TRUE(maker.has_value()) << maker.error().message();
        bench_.sink = (*maker)(bench_.sink_context);
        return deliver();
    }
    std::string deliver() {
        EventFields fields;
        fields.id = "id";
        bench_.begin({Event::make("{}", fields)});
        const Outcome outcome = bench_.finish();
        if (outcome.verdict() == Verdict::delivered) return "delivered";
        return std::string(to_string(outcome.reason())) + ": " + outcome.error().message();
    }
    std::string deliver(const std::string& host) { return deliver(host, trusting()); }

    TlsOptions trusting() const {
        TlsOptions tls;
        tls.ca_file = ca_.ca_file();
        return tls;
    }

    static TestCa::Subject for_names(const std::string& alternative_names) {
        TestCa::Subject subject;
        subject.alternative_names = alternative_names;
        return subject;
    }

    static ThreadedResolver::Options everything_is_here() {
        ThreadedResolver::Options options;
        options.lookup = [](const std::string&) {
            Resolved resolved;
            resolved.addresses = {net::ip::make_address("127.0.0.1")};
            return resolved;
        };
        return options;
    }

    TestCa ca_;
    SteadyClock clock_;
    ThreadedResolver resolver_{clock_, everything_is_here()};
    TcpConnector connector_;
    test::SinkBench bench_{clock_};
    std::unique_ptr<Imposter> imposter_;
};

TEST_F(TlsMatrixTest, accepts_a_name_and_an_address_that_the_certificate_has) {
    receiver(ca_.issue());

    EXPECT_EQ(deliver("localhost"), "delivered");
    EXPECT_EQ(deliver("LOCALHOST"), "delivered");
    EXPECT_EQ(deliver("localhost."), "delivered");
    EXPECT_EQ(deliver("127.0.0.1"), "delivered");
}

TEST_F(TlsMatrixTest, refuses_a_certificate_that_is_not_of_today) {
    TestCa::Subject subject;
    subject.is_expired = true;
    receiver(ca_.issue(subject));
    EXPECT_EQ(deliver("localhost"),
              "tls: " + (tls_refusal + std::string("certificate has expired")));

    subject = {};
    subject.is_not_yet_valid = true;
    receiver(ca_.issue(subject));
    EXPECT_EQ(deliver("localhost"),
              "tls: " + (tls_refusal + std::string("certificate is not yet valid")));
}

TEST_F(TlsMatrixTest, refuses_another_host_and_another_address) {
    const std::string host_mismatch = "tls: " + (tls_refusal + std::string("hostname mismatch"));
    const std::string address_mismatch =
        "tls: " + (tls_refusal + std::string("IP address mismatch"));
    receiver(ca_.issue(for_names("DNS:elsewhere.test,IP:127.0.0.9")));
    EXPECT_EQ(deliver("localhost"), host_mismatch);
    EXPECT_EQ(deliver("127.0.0.1"), address_mismatch);

    // An address is not a name that looks like one.
    receiver(ca_.issue(for_names("DNS:127.0.0.1")));
    EXPECT_EQ(deliver("127.0.0.1"), address_mismatch);
}

TEST_F(TlsMatrixTest, does_not_take_a_common_name_for_a_name) {
    receiver(ca_.issue(for_names("")));
    EXPECT_EQ(deliver("localhost"), "tls: " + (tls_refusal + std::string("hostname mismatch")));

    receiver(ca_.issue(for_names("email:a@b.test")));
    EXPECT_EQ(deliver("localhost"), "tls: " + (tls_refusal + std::string("hostname mismatch")));
}

TEST_F(TlsMatrixTest, lets_a_wildcard_stand_for_one_label) {
    receiver(ca_.issue(for_names("DNS:*.wild.test,DNS:part*.test")));

    EXPECT_EQ(deliver("a.wild.test"), "delivered");
    for (const char* const host : {"wild.test", "a.b.wild.test", "partly.test", "xwild.test"}) {
        EXPECT_EQ(deliver(host), "tls: " + (tls_refusal + std::string("hostname mismatch")))
            << host;
    }
}

TEST_F(TlsMatrixTest, refuses_certificates_of_authorities_that_are_not_trusted) {
    const CertificateFiles self_signed = ca_.sign_itself();
    receiver(self_signed);
    EXPECT_EQ(deliver("localhost"),
              "tls: " + (tls_refusal + std::string("self-signed certificate")));
    TlsOptions pinned;
    pinned.ca_file = self_signed.cert_file;
    EXPECT_EQ(deliver("localhost", pinned), "delivered");

    TestCa other;
    receiver(other.issue());
    EXPECT_NE(deliver("localhost"), "delivered");
    // The system's roots do not help either.
    EXPECT_EQ(deliver("localhost", TlsOptions{}),
              "tls: " + (tls_refusal + std::string("unable to get local issuer certificate")));
}

TEST_F(TlsMatrixTest, needs_the_intermediate_certificate) {
    receiver(ca_.issue_by_intermediate(true));
    EXPECT_EQ(deliver("localhost"), "delivered");

    receiver(ca_.issue_by_intermediate(false));
    EXPECT_EQ(deliver("localhost"),
              "tls: " + (tls_refusal + std::string("unable to get local issuer certificate")));
}

TEST_F(TlsMatrixTest, refuses_a_certificate_that_is_not_a_servers) {
    TestCa::Subject subject;
    subject.extended_usage = "clientAuth";
    receiver(ca_.issue(subject));

    EXPECT_EQ(deliver("localhost"),
              "tls: " + (tls_refusal + std::string("unsuitable certificate purpose")));
}

TEST_F(TlsMatrixTest, refuses_old_versions_of_tls) {
    const CertificateFiles files = ca_.issue();
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        RawTls::Options old;
        old.cert_file = files.cert_file;
        old.key_file = files.key_file;
        old.version_max = version;
        receiver(old);
        TlsOptions careless;
        careless.insecure_skip_verify = true;

        const std::string outcome = deliver("localhost", careless);
        EXPECT_TRUE(outcome.starts_with("tls: ")) << outcome;
        EXPECT_NE(outcome.find("protocol"), std::string::npos) << outcome;
    }
}

TEST_F(TlsMatrixTest, says_tls_when_its_own_certificate_is_missing_or_wrong) {
    const CertificateFiles files = ca_.issue();
    const CertificateFiles mine = ca_.issue();
    TestCa other;
    const CertificateFiles wrong = other.issue();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        RawTls::Options asking;
        asking.cert_file = files.cert_file;
        asking.key_file = files.key_file;
        asking.client_ca_file = ca_.ca_file();
        asking.version_max = version;
        receiver(asking);

        TlsOptions tls = trusting();
        const std::string missing = deliver("localhost", tls);
        tls.cert_file = wrong.cert_file;
        tls.key_file = wrong.key_file;
        const std::string unknown = deliver("localhost", tls);
        tls.cert_file = mine.cert_file;
        tls.key_file = mine.key_file;

        EXPECT_EQ(deliver("localhost", tls), "delivered") << version;
        for (const std::string& outcome : {missing, unknown}) {
            EXPECT_TRUE(outcome.starts_with("tls: ")) << version << ": " << outcome;
            EXPECT_NE(outcome.find("alert"), std::string::npos) << version << ": " << outcome;
        }
    }
}

TEST_F(TlsMatrixTest, verifies_the_configured_name_instead_of_the_urls) {
    receiver(ca_.issue(for_names("DNS:inside.test,IP:192.0.2.7")));
    TlsOptions tls = trusting();
    tls.server_name = "inside.test";
    EXPECT_EQ(deliver("localhost", tls), "delivered");
    EXPECT_EQ(imposter_->requests().back().server_name, "inside.test");

    tls.server_name = "192.0.2.7";
    EXPECT_EQ(deliver("localhost", tls), "delivered");
    tls.server_name = "outside.test";
    EXPECT_EQ(deliver("localhost", tls),
              "tls: " + (tls_refusal + std::string("hostname mismatch")));
    EXPECT_EQ(deliver("inside.test"), "delivered");
}

// SPEC 13: certificate files are re-read on change.
TEST_F(TlsMatrixTest, uses_new_authorities_for_new_connections) {
    const std::filesystem::path file = std::filesystem::path(ca_.ca_file()).parent_path() / "ca2";
    const TestCa other;
    std::filesystem::copy_file(other.ca_file(), file);
    receiver(ca_.issue());
    TlsOptions tls;
    tls.ca_file = file;
    EXPECT_NE(deliver("localhost", tls), "delivered");

    std::filesystem::copy_file(ca_.ca_file(), file,
                               std::filesystem::copy_options::overwrite_existing);

    const TimePoint deadline = clock_.now() + 10s;
    while (deliver() != "delivered" && clock_.now() < deadline) bench_.context.run_one_for(10ms);
    EXPECT_EQ(deliver(), "delivered");
    EXPECT_EQ(imposter_->requests().size(), 2U);
}

}  // namespace
}  // namespace fanfare
