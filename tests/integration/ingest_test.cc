#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/captures.h"
#include "support/ingest_server.h"
#include "support/tmp_dir.h"

namespace fanfare {
namespace {

using test::IngestServer;
using test::RawAnswer;
using test::RawClient;

struct WireCase {
    const char* name;
    std::string request;
    int status;
};
class IngestWire : public testing::TestWithParam<WireCase> {};

TEST_P(IngestWire, is_answered) {
    IngestServer::Setup setup;
    setup.ingest.listener.body_bytes_max = 100;
    setup.ingest.events_max = 3;
    IngestServer server(std::move(setup));
    RawClient client = server.connect();

    client.send(GetParam().request);
    const RawAnswer answer = client.read_answer();

    EXPECT_EQ(answer.status, GetParam().status) << answer.body;
    const auto body = nlohmann::json::parse(answer.body);
    EXPECT_EQ(body.contains("errors"), GetParam().status != 202);
}

std::string typed(const std::string& type, const std::string& body) {
    return IngestServer::request(body, "Content-Type: " + type + "\r\n");
}

INSTANTIATE_TEST_SUITE_P(
    Ingest, IngestWire,
    testing::Values(
        WireCase{"event", IngestServer::request("{}"), 202},
        WireCase{"lines", typed("application/x-ndjson", "{}\n{}\n"), 202},
        WireCase{"chunked",
                 "POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
                 202},
        WireCase{"http_1_0", "POST /events HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", 202},
        WireCase{"bad_json", IngestServer::request("{"), 400},
        WireCase{"empty", IngestServer::request(""), 400},
        WireCase{"other_path", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 404},
        WireCase{"other_method", "PUT /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
                 405},
        WireCase{"no_length", "POST /events HTTP/1.1\r\nHost: a\r\n\r\n", 411},
        WireCase{"too_long", IngestServer::request(std::string(101, ' ')), 413},
        WireCase{"too_many_events", IngestServer::request("[{},{},{},{}]"), 413},
        WireCase{"other_type", typed("text/plain", "{}"), 415},
        WireCase{"repeated_id", IngestServer::request("{}", "webhook-id: a\r\nWebhook-Id: b\r\n"),
                 400}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(IngestServer, stays_on_the_line_after_a_refused_body) {
    IngestServer server;
    RawClient client = server.connect();

    client.send(IngestServer::request("nonsense") + IngestServer::request(R"({"id":"1"})"));

    EXPECT_EQ(client.read_answer().status, 400);
    EXPECT_EQ(client.read_answer().status, 202);
    EXPECT_EQ(server.receive()->id(), "1");
}

TEST(IngestServer, takes_pipelined_requests_in_order) {
    IngestServer server;
    RawClient client = server.connect();
    std::string requests;
    for (int i = 0; i < 100; ++i) {
        requests += IngestServer::request("{\"id\":\"" + std::to_string(i) + "\"}");
    }

    client.send(requests);

    for (int i = 1; i <= 100; ++i) {
        const std::string seq = std::to_string(i);
        EXPECT_EQ(client.read_answer().body,
                  R"({"accepted":1,"first_seq":)" + seq + R"(,"last_seq":)" + seq + "}");
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(server.receive()->id(), std::to_string(i));
}

// Acceptance 6.
TEST(IngestServer, delivers_the_events_of_an_envelope_in_order) {
    IngestServer server;
    std::string body = "{\"events\":[";
    for (int i = 0; i < 1000; ++i) {
        body += (i > 0 ? ",{\"id\":\"" : "{\"id\":\"") + std::to_string(i) + "\"}";
    }

    const RawAnswer answer = server.post(body + "]}");

    EXPECT_EQ(answer.body, R"({"accepted":1000,"first_seq":1,"last_seq":1000})");
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(server.receive()->id(), std::to_string(i));
}

TEST(IngestServer, keeps_the_events_of_a_request_together) {
    IngestServer::Setup setup;
    setup.shards = 2;
    IngestServer server(std::move(setup));
    constexpr int clients = 4;
    constexpr int requests = 50;
    std::vector<std::thread> threads;
    for (int c = 0; c < clients; ++c) {
        threads.emplace_back([&server, c] {
            RawClient client = server.connect();
            for (int i = 0; i < requests; ++i) {
                const std::string id = std::to_string(c) + "-" + std::to_string(i);
                client.send(IngestServer::request("[{\"id\":\"" + id + "\"},{\"id\":\"" + id +
                                                  "\"},{\"id\":\"" + id + "\"}]"));
                EXPECT_EQ(client.read_answer().status, 202);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();

    std::set<std::string> seen;
    for (int i = 0; i < clients * requests; ++i) {
        const std::string id(server.receive()->id());
        EXPECT_EQ(server.receive()->id(), id);
        EXPECT_EQ(server.receive()->id(), id);
        EXPECT_TRUE(seen.insert(id).second);
    }
    EXPECT_TRUE(server.is_empty());
}

TEST(IngestServer, takes_nothing_of_a_refused_request) {
    IngestServer server;

    EXPECT_EQ(server.post(R"([{"id":"a"},{"id":"b"},7])").status, 400);
    EXPECT_EQ(server.post(R"({"id":"c"})").body, R"({"accepted":1,"first_seq":1,"last_seq":1})");
    EXPECT_EQ(server.receive()->id(), "c");
}

TEST(IngestServer, asks_to_wait_at_the_bound_and_takes_again_when_there_is_room) {
    IngestServer::Setup setup;
    setup.queue_bytes_max = 1000;
    setup.channel_events_max = 1;
    IngestServer server(std::move(setup));
    const std::string event = R"({"a":")" + std::string(92, 'x') + R"("})";

    int taken = 0;
    RawAnswer answer;
    while ((answer = server.post(event)).status == 202) ++taken;

    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("retry-after"), "1");
    EXPECT_EQ(taken, 10);
    // One event less is exactly nine tenths, which is not below them.
    EXPECT_NE(server.receive(), nullptr);
    EXPECT_EQ(server.post("{}").status, 503);
    for (int i = 1; i < taken; ++i) EXPECT_NE(server.receive(), nullptr);
    EXPECT_EQ(server.post("{}").status, 202);
}

TEST(IngestServer, asks_to_wait_where_an_endpoint_has_no_room) {
    IngestServer::Setup setup;
    setup.channel_events_max = 1;
    setup.bounds = {5, 0, Overflow::reject};
    IngestServer server(std::move(setup));

    const RawAnswer larger = server.post("[{},{},{},{},{},{}]");
    EXPECT_EQ(larger.status, 413);
    EXPECT_NE(larger.body.find(R"("detail":{"endpoint":"channel"})"), std::string::npos);
    // One more is with the test already.
    int taken = 0;
    RawAnswer answer;
    while ((answer = server.post("{}")).status == 202) ++taken;

    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("retry-after"), "1");
    EXPECT_NE(answer.body.find(R"("code":"QUEUE_FULL")"), std::string::npos);
    EXPECT_NE(answer.body.find(R"("detail":{"endpoint":"channel"})"), std::string::npos);
    EXPECT_EQ(taken, 6);
    EXPECT_EQ(server.budget().bytes_used(), 12U) << "what was refused is not held";
    for (int i = 0; i < taken; ++i) EXPECT_NE(server.receive(), nullptr);
    EXPECT_EQ(server.post("{}").status, 202);
}

TEST(IngestServer, asks_to_wait_while_shutting_down) {
    IngestServer server;
    server.broadcaster().close();

    const RawAnswer answer = server.post("{}");

    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.field("retry-after"), "");
}

TEST(IngestServer, follows_its_token_file) {
    const test::TmpDir dir;
    const auto write = [&dir](const std::string& text) {
        std::ofstream(dir.path() / "token") << text;
    };
    write("old");
    IngestServer::Setup setup;
    setup.ingest.bearer_token_file = dir.path() / "token";
    IngestServer server(std::move(setup));

    EXPECT_EQ(server.post("{}").status, 401);
    EXPECT_EQ(server.post("{}").field("www-authenticate"), "Bearer");
    EXPECT_EQ(server.post("{}", "Authorization: Bearer old\r\n").status, 202);

    write("new");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    int status = 0;
    while (status != 202 && std::chrono::steady_clock::now() < end) {
        status = server.post("{}", "Authorization: Bearer new\r\n").status;
    }
    EXPECT_EQ(status, 202);
    EXPECT_EQ(server.post("{}", "Authorization: Bearer old\r\n").status, 401);
}

/// The captured requests by the path they were sent to; the first line is `POST /path HTTP/1.1`.
std::map<std::string, std::vector<std::string>> captures_by_path() {
    std::map<std::string, std::vector<std::string>> requests;
    for (const auto& file : test::data_files("registry-captures", ".http")) {
        const std::string text = test::read_file(file);
        const std::size_t begin = text.find(' ') + 1;
        // A query is not part of what `ingest.path` is compared with.
        requests[text.substr(begin, text.find_first_of(" ?", begin) - begin)].push_back(text);
    }
    return requests;
}

// Acceptance 1, up to the endpoint: what the endpoint sends is the sink's business.
TEST(IngestServer, takes_captured_requests_byte_for_byte) {
    const auto by_path = captures_by_path();
    ASSERT_GE(by_path.size(), 3U);

    for (const auto& [path, requests] : by_path) {
        IngestServer::Setup setup;
        setup.ingest.path = path;
        IngestServer server(std::move(setup));
        RawClient client = server.connect();

        for (const std::string& request : requests) {
            client.send(request);
            ASSERT_EQ(client.read_answer().status, 202) << request;
        }

        for (const std::string& request : requests) {
            const std::string body = request.substr(request.find("\r\n\r\n") + 4);
            const auto expected = nlohmann::json::parse(body).at("events").at(0);
            const EventPtr event = server.receive();
            ASSERT_NE(event, nullptr);
            EXPECT_EQ(nlohmann::json::parse(event->payload()), expected);
            EXPECT_NE(body.find(event->payload()), std::string::npos);
            EXPECT_EQ(event->id(), expected.at("id").get<std::string>());
        }
        EXPECT_TRUE(server.is_empty());
    }
}

}  // namespace
}  // namespace fanfare
