// What the HTTP sink makes of an endpoint's format.
#include <gtest/gtest.h>

#include "fanfare/http_sink.h"
#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/sink_bench.h"

namespace fanfare {
namespace {

class HttpSinkFormats : public testing::Test {
  protected:
    HttpSinkFormats() {
        options_.url = "http://receiver.test/hook";
        network_.names.addresses = {net::ip::make_address("10.0.0.1")};
        network_.on_connected = [](test::FakeWire& wire) {
            wire.on_sent = [&wire] { wire.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); };
        };
    }

    Outcome deliver(const std::string& payload) {
        if (!bench_.sink) {
            Result<SinkMaker> maker = make_http_sink_maker(options_, network_, network_);
            EXPECT_TRUE(maker.has_value()) << maker.error().message();
            bench_.sink = (*maker)(bench_.sink_context);
        }
        EventFields fields;
        fields.id = "id";
        bench_.begin({Event::make(payload, fields, MediaType::cloudevents)});
        clock_.advance(Duration::zero(), bench_.context);
        return bench_.outcome();
    }

    HttpSinkOptions options_;
    test::ManualClock clock_;
    test::FakeNetwork network_;
    test::SinkBench bench_{clock_};
};

TEST_F(HttpSinkFormats, writes_attributes_behind_the_default_headers) {
    options_.format = BodyFormat::cloudevents_binary;
    options_.headers = {{"X-Last", "1"}};

    const Outcome outcome = deliver(R"({"specversion":"1.0","id":"1","data":"é"})");

    EXPECT_EQ(outcome.verdict(), Verdict::delivered);
    const std::string& sent = network_.wires.at(0)->sent;
    EXPECT_NE(sent.find("\r\nContent-Type: application/json\r\nContent-Length: 4\r\n"),
              std::string::npos)
        << sent;
    EXPECT_TRUE(
        sent.ends_with("\r\nfanfare-attempt: 1\r\nce-id: 1\r\nce-specversion: 1.0\r\n"
                       "X-Last: 1\r\n\r\n\"é\""))
        << sent;
}

TEST_F(HttpSinkFormats, sends_no_content_type_where_there_is_no_content) {
    options_.format = BodyFormat::cloudevents_binary;

    EXPECT_EQ(deliver(R"({"id":"1"})").verdict(), Verdict::delivered);

    const std::string& sent = network_.wires.at(0)->sent;
    EXPECT_EQ(sent.find("Content-Type"), std::string::npos) << sent;
    EXPECT_NE(sent.find("\r\nContent-Length: 0\r\n"), std::string::npos);
}

TEST_F(HttpSinkFormats, gives_up_an_event_that_cannot_be_rendered_and_no_other) {
    options_.format = BodyFormat::cloudevents_binary;

    const Outcome outcome = deliver(R"({"id":"1","data_base64":"?"})");

    EXPECT_EQ(outcome.verdict(), Verdict::reject);
    EXPECT_EQ(outcome.reason(), Reason::exception);
    EXPECT_EQ(outcome.error().message(), "the event's data_base64 is none");
    EXPECT_TRUE(network_.targets.empty()) << "nothing is to be sent";
    EXPECT_EQ(deliver(R"({"id":"2"})").verdict(), Verdict::delivered);
}

TEST_F(HttpSinkFormats, says_at_once_that_a_template_is_bad) {
    options_.format = BodyFormat::templated;
    options_.body_template = R"("{{ x")";

    EXPECT_TRUE(make_http_sink_maker(options_, network_, network_).has_error());
}

}  // namespace
}  // namespace fanfare
