#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sink/auth/oauth2.h"
#include "support/fake_network.h"
#include "support/manual_clock.h"
#include "support/secret_on_disk.h"
#include "support/sink_bench.h"

namespace fanfare::test {

using namespace std::chrono_literals;

inline std::string answer(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// An endpoint with OAuth2 and two workers, and a network on which the test answers for both the
/// receiver and the token endpoint.
class OAuth2Bench : public testing::Test {
  protected:
    OAuth2Bench() {
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

    void begin(SinkBench& bench) {
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
        ManualClock::poll(other_.context);
        ManualClock::poll(bench_.context);
    }
    std::vector<std::string> seen() { return std::exchange(seen_, {}); }

    SecretOnDisk secret_{"s3cr3t/+\n"};
    HttpSinkOptions options_;
    std::string expires_in_ = "600";
    std::optional<std::string> token_answer_;  ///< instead of a new token; empty: silence
    std::string refused_;                      ///< a token, or * for all
    std::vector<std::string> token_requests_;
    std::vector<std::string> seen_;  ///< tokens that came with events
    ManualClock clock_;
    FakeNetwork network_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    SinkMaker maker_;
    SinkBench bench_{clock_};
    SinkBench other_{clock_};  ///< another worker of the endpoint
};

}  // namespace fanfare::test
