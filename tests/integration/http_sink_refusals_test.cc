// Receivers that answer before they have read everything, and then read no more.
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

class HttpSinkRefusals : public testing::Test {
  protected:
    /// The outcome of an event that is larger than what sockets hold.
    Outcome deliver_to(Imposter& imposter) {
        imposter.leave_bodies_unread();
        HttpSinkOptions options;
        options.url = imposter.url();
        options.timeout = 8s;
        options.tls.ca_file = ca_.ca_file();
        const Result<SinkMaker> maker = make_http_sink_maker(options, resolver_, connector_);
        bench_.sink = (*maker)(bench_.sink_context);
        EventFields fields;
        fields.id = "id";
        bench_.begin({Event::make("{\"data\":\"" + std::string(32U << 20U, 'x') + "\"}", fields)});
        return bench_.finish();
    }

    static ImposterReply refuse(const Recorded&, std::size_t) {
        return ImposterReply::status(413).then_hold();
    }

    test::TestCa ca_;
    SteadyClock clock_;
    ThreadedResolver resolver_{clock_, {}};
    TcpConnector connector_;
    test::SinkBench bench_{clock_};
};

TEST_F(HttpSinkRefusals, are_heard) {
    Imposter imposter(refuse);

    EXPECT_EQ(deliver_to(imposter).http_status(), 413);
}

TEST_F(HttpSinkRefusals, are_heard_through_tls) {
    RawTls::Options options;
    const test::CertificateFiles files = ca_.issue();
    options.cert_file = files.cert_file;
    options.key_file = files.key_file;
    Imposter imposter(refuse, std::make_unique<RawTls>(options));

    EXPECT_EQ(deliver_to(imposter).http_status(), 413);
}

}  // namespace
}  // namespace fanfare
