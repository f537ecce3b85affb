// What the HTTP sink's requests say about who sends them.
#include "sink/request_credentials.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "sink/verifier.h"
#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/secret_on_disk.h"
#include "support/sink_bench.h"
#include "support/webhook_vectors.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::FakeWire;

class RequestCredentialsTest : public testing::Test {
  protected:
    RequestCredentialsTest() {
        options_.url = "http://receiver.test/hook";
        network_.names.addresses = {net::ip::make_address("10.0.0.1")};
        network_.on_connected = [](FakeWire& wire) {
            wire.on_sent = [&wire] { wire.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); };
        };
    }

    Result<SinkMaker> make() { return make_http_sink_maker(options_, network_, network_, &log_); }
    std::string problem() {
        const Result<SinkMaker> made = make();
        return made.has_error() ? made.error().message() : "";
    }

    /// The request for so many events, as it was sent.
    std::string send(std::size_t events = 1) {
        if (!bench_.sink) bench_.sink = (*make())(bench_.sink_context);
        EventFields fields;
        fields.id = "msg_1";
        bench_.begin(std::vector<EventPtr>(events, Event::make("{\"a\": 1}", fields)));
        clock_.advance(0ms, bench_.context);
        EXPECT_EQ(bench_.outcome().verdict(), Verdict::delivered);
        return std::exchange(network_.wires.back()->sent, "");
    }

    static std::string header(const std::string& request, const std::string& name) {
        const std::size_t begin = request.find("\r\n" + name + ": ");
        if (begin == std::string::npos) return "";
        const std::size_t value = begin + name.size() + 4;
        return request.substr(value, request.find("\r\n", value) - value);
    }

    std::string verdict(const std::string& request, const std::string& secret) {
        const Result<Verifier> verifier = Verifier::make({Secret(secret)});
        const std::string id = header(request, "webhook-id");
        const std::string timestamp = header(request, "webhook-timestamp");
        const std::string signature = header(request, "webhook-signature");
        const std::string body = request.substr(request.find("\r\n\r\n") + 4);
        return verifier->problem({id, timestamp, signature, body}, clock_.wall()).value_or("");
    }

    void pass(Duration time) { clock_.advance(time, bench_.context); }

    static SecretSource inline_secret(const std::string& text) {
        return {.file = {}, .text = Secret(text)};
    }
    static SecretSource file_secret(const test::SecretOnDisk& disk) {
        return {.file = disk.path(), .text = {}};
    }

    HttpSinkOptions options_;
    test::ManualClock clock_;
    test::FakeNetwork network_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    test::SinkBench bench_{clock_};
};

TEST_F(RequestCredentialsTest, sign_what_is_sent_in_every_format) {
    options_.signing.secrets = {inline_secret(test::key_1), inline_secret(test::private_key)};
    options_.body_template = R"({"text":"{{ /action }} {{ @id }}"})";
    for (const BodyFormat format :
         {BodyFormat::envelope, BodyFormat::event, BodyFormat::cloudevents,
          BodyFormat::cloudevents_binary, BodyFormat::templated}) {
        options_.format = format;
        bench_.sink.reset();
        const std::string request = send();

        EXPECT_EQ(verdict(request, test::key_1), "");
        EXPECT_EQ(verdict(request, test::public_key), "");
        EXPECT_EQ(verdict(request, test::key_2), "no signature matches");
    }
}

TEST_F(RequestCredentialsTest, sign_batches_in_every_format_that_takes_them) {
    options_.signing.secrets = {inline_secret(test::key_1), inline_secret(test::private_key)};
    for (const BodyFormat format :
         {BodyFormat::envelope, BodyFormat::event, BodyFormat::cloudevents}) {
        options_.format = format;
        bench_.sink.reset();
        const std::string request = send(3);

        EXPECT_EQ(verdict(request, test::key_1), "");
        EXPECT_EQ(verdict(request, test::public_key), "");
    }
}

TEST_F(RequestCredentialsTest, sign_each_attempt_anew_under_the_same_id) {
    options_.signing.secrets = {inline_secret(test::key_1)};
    const std::string first = send();
    pass(10s);

    const std::string second = send();

    EXPECT_EQ(header(first, "webhook-id"), header(second, "webhook-id"));
    EXPECT_NE(header(first, "webhook-timestamp"), header(second, "webhook-timestamp"));
    EXPECT_NE(header(first, "webhook-signature"), header(second, "webhook-signature"));
    EXPECT_EQ(verdict(second, test::key_1), "");
}

TEST_F(RequestCredentialsTest, are_not_there_unless_asked_for) {
    const std::string request = send();

    EXPECT_EQ(header(request, "webhook-signature"), "");
    EXPECT_EQ(header(request, "Authorization"), "");
}

TEST_F(RequestCredentialsTest, follow_a_signing_secret_that_changes_on_disk) {
    const test::SecretOnDisk disk(test::key_1 + "\n");
    options_.signing.secrets = {file_secret(disk), inline_secret(test::private_key)};
    EXPECT_EQ(verdict(send(), test::key_1), "");

    disk.write(test::key_2);

    EXPECT_EQ(verdict(send(), test::key_1), "") << "looked at within a second";
    pass(1s);
    const std::string request = send();
    EXPECT_EQ(verdict(request, test::key_2), "");
    EXPECT_EQ(verdict(request, test::public_key), "");
    EXPECT_NE(verdict(request, test::key_1), "");
}

TEST_F(RequestCredentialsTest, keep_the_last_good_secret_and_warn_once) {
    const test::SecretOnDisk disk(test::key_1);
    options_.signing.secrets = {file_secret(disk)};
    EXPECT_EQ(verdict(send(), test::key_1), "");

    for (const char* bad : {"", "whsec_c2hvcnQ=", "nonsense"}) {
        disk.write(bad);
        pass(1s);
        EXPECT_EQ(verdict(send(), test::key_1), "") << bad;
    }
    disk.remove();
    pass(1s);
    EXPECT_EQ(verdict(send(), test::key_1), "");

    ASSERT_EQ(lines_.size(), 1U);
    EXPECT_EQ(lines_.front().find("c2hvcnQ"), std::string::npos);
}

TEST_F(RequestCredentialsTest, share_one_look_at_the_file_among_sinks) {
    const test::SecretOnDisk disk(test::key_1);
    options_.signing.secrets = {file_secret(disk)};
    const Result<SinkMaker> maker = make();
    std::unique_ptr<Sink> other = (*maker)(bench_.sink_context);
    bench_.sink = (*maker)(bench_.sink_context);
    EXPECT_EQ(verdict(send(), test::key_1), "");
    disk.write(test::key_2);
    pass(1s);

    EXPECT_EQ(verdict(send(), test::key_2), "");
    bench_.sink.swap(other);
    EXPECT_EQ(verdict(send(), test::key_2), "");
}

TEST_F(RequestCredentialsTest, bear_the_token_of_the_file_of_now) {
    const test::SecretOnDisk disk("token-1\n");
    options_.auth.type = AuthOptions::Type::bearer;
    options_.auth.token_file = disk.path();
    EXPECT_EQ(header(send(), "Authorization"), "Bearer token-1");

    disk.write("token-2");
    pass(1s);

    EXPECT_EQ(header(send(), "Authorization"), "Bearer token-2");
}

TEST_F(RequestCredentialsTest, name_the_user_with_the_password_of_the_file_of_now) {
    const test::SecretOnDisk disk("pass:word 1\n");
    options_.auth.type = AuthOptions::Type::basic;
    options_.auth.username = "me";
    options_.auth.password_file = disk.path();
    EXPECT_EQ(header(send(), "Authorization"), "Basic " + base64("me:pass:word 1"));

    disk.write("2");
    pass(1s);

    EXPECT_EQ(header(send(), "Authorization"), "Basic " + base64("me:2"));
}

TEST_F(RequestCredentialsTest, cannot_be_made_of_files_of_no_use) {
    const test::SecretOnDisk disk("two words");
    options_.signing.secrets = {file_secret(disk)};
    EXPECT_EQ(problem(),
              "signing secret file " + disk.path() +
                  " holds a secret that is not base64; expected whsec_ and the base64 of "
                  "24 to 64 bytes");
    options_.signing.secrets = {{.file = "/does/not/exist", .text = {}}};
    EXPECT_NE(problem().find("cannot be read"), std::string::npos);

    options_.signing.secrets.clear();
    options_.auth.type = AuthOptions::Type::bearer;
    options_.auth.token_file = disk.path();
    EXPECT_EQ(problem(),
              "bearer token file " + disk.path() + " must hold one line of visible characters");
}

TEST_F(RequestCredentialsTest, leave_no_room_for_headers_that_say_the_same) {
    const test::SecretOnDisk disk("token");
    options_.signing.secrets = {inline_secret(test::key_1)};
    options_.headers = {{"Webhook-Signature", "x"}};
    EXPECT_EQ(problem(), "header \"Webhook-Signature\" cannot be configured beside signing");

    options_.headers = {{"x-hub-signature-256", "x"}, {"authorization", "x"}};
    EXPECT_EQ(problem(), "");

    options_.auth.type = AuthOptions::Type::bearer;
    options_.auth.token_file = disk.path();
    EXPECT_EQ(problem(), "header \"authorization\" cannot be configured beside auth");
    options_.headers.clear();
    options_.url = "http://me:word@receiver.test/";
    EXPECT_EQ(problem(), "a URL cannot have userinfo beside auth");
}

TEST_F(RequestCredentialsTest, hold_one_secret_in_the_form_of_github) {
    options_.signing.scheme = SigningScheme::github;
    options_.signing.secrets = {inline_secret("a"), inline_secret("b")};

    EXPECT_NE(problem(), "");
}

}  // namespace
}  // namespace fanfare
