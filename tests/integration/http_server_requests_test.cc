// What an HttpServer answers to requests, good and bad, over loopback.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/running_server.h"

namespace fanfare {
namespace {

using test::get_request;
using test::RawAnswer;
using test::RawClient;
using test::RunningServer;

std::string post_request(std::string_view target, std::string_view body,
                         std::string_view fields = "") {
    return "POST " + std::string(target) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}

std::string code_of(const RawAnswer& answer) {
    return nlohmann::json::parse(answer.body).at("errors").at(0).at("code");
}

/// Expects an error, and then the end of the connection.
void expect_final(RawClient& client, int status, const std::string& code) {
    const RawAnswer answer = client.read_answer();

    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(code_of(answer), code);
    EXPECT_EQ(answer.field("connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(HttpServer, answers_a_request_and_keeps_the_connection) {
    RunningServer server;
    RawClient client = server.connect();

    for (int i = 0; i < 3; ++i) {
        client.send(post_request("/echo", "abc"));
        const RawAnswer answer = client.read_answer();

        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "POST /echo abc");
        EXPECT_EQ(answer.field("content-type"), "text/plain");
        EXPECT_EQ(answer.field("server"), "fanfare");
        EXPECT_EQ(answer.field("connection"), "");
        EXPECT_EQ(answer.field("date").size(), 29U);
        EXPECT_TRUE(answer.field("date").ends_with(" GMT"));
    }
}

TEST(HttpServer, understands_a_request_that_comes_byte_by_byte) {
    RunningServer server;
    RawClient client = server.connect();

    client.send_slowly(post_request("/echo", "abc"));

    EXPECT_EQ(client.read_answer().body, "POST /echo abc");
}

TEST(HttpServer, answers_pipelined_requests_in_order) {
    RunningServer server;
    RawClient client = server.connect();
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += post_request("/echo", std::to_string(i));

    client.send(bytes);

    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(client.read_answer().body, "POST /echo " + std::to_string(i));
    }
}

TEST(HttpServer, takes_chunked_bodies) {
    RunningServer server;
    RawClient client = server.connect();
    const std::string bytes =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n";

    client.send(bytes + bytes);

    EXPECT_EQ(client.read_answer().body, "POST /echo abcde");
    EXPECT_EQ(client.read_answer().body, "POST /echo abcde");
}

TEST(HttpServer, takes_large_bodies_whole) {
    RunningServer server;
    RawClient client = server.connect();
    const std::string body(3'000'000, 'b');

    client.send(post_request("/echo", body));
    EXPECT_EQ(client.read_answer().body.size(), body.size() + std::string("POST /echo ").size());
    client.send(post_request("/echo", "abc"));
    EXPECT_EQ(client.read_answer().body, "POST /echo abc");
}

TEST(HttpServer, sends_continue_when_the_client_waits_for_it) {
    RunningServer server;
    RawClient client = server.connect();
    const std::string bytes = post_request("/echo", "abc", "Expect: 100-continue\r\n");
    const std::size_t head_size = bytes.size() - 3;

    client.send(bytes.substr(0, head_size));
    EXPECT_EQ(client.read_answer().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    EXPECT_EQ(client.read_answer().body, "POST /echo abc");

    // A client that does not wait gets the answer alone.
    client.send(bytes);
    EXPECT_EQ(client.read_answer().status, 200);
}

TEST(HttpServer, ends_an_http_1_0_connection_unless_asked_not_to) {
    RunningServer server;
    RawClient client = server.connect();

    client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const RawAnswer kept = client.read_answer();
    EXPECT_EQ(kept.body, "GET /echo ");
    EXPECT_EQ(kept.field("connection"), "keep-alive");

    client.send("GET /echo HTTP/1.0\r\n\r\n");
    const RawAnswer last = client.read_answer();
    EXPECT_EQ(last.body, "GET /echo ");
    EXPECT_EQ(last.field("connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(HttpServer, ends_the_connection_when_either_side_says_so) {
    RunningServer server;
    RawClient by_client = server.connect();
    RawClient by_handler = server.connect();

    by_client.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" +
                   get_request("/echo"));
    by_handler.send(get_request("/close") + get_request("/echo"));

    for (RawClient* client : {&by_client, &by_handler}) {
        EXPECT_EQ(client->read_answer().field("connection"), "close");
        EXPECT_EQ(client->read_to_end(), "");
    }
    EXPECT_EQ(server.handler().answered(), 2);
}

TEST(HttpServer, announces_a_body_to_head_and_does_not_send_it) {
    RunningServer server;
    RawClient client = server.connect();

    client.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n" + get_request("/empty"));

    const RawAnswer answer = client.read_answer(true);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("content-length"), "11");
    const RawAnswer next = client.read_answer();
    EXPECT_EQ(next.field("content-length"), "0");
    EXPECT_EQ(next.field("content-type"), "");
}

TEST(HttpServer, refuses_early_and_goes_on_behind_the_body) {
    RunningServer server;
    RawClient client = server.connect();

    client.send(post_request("/refused", "GET /smuggled HTTP/1.1\r\n\r\n") +
                post_request("/echo", "abc"));

    const RawAnswer refused = client.read_answer();
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.field("connection"), "");
    EXPECT_EQ(client.read_answer().body, "POST /echo abc");
    EXPECT_EQ(server.handler().answered(), 1);
}

TEST(HttpServer, ends_the_connection_of_a_refused_client_that_waits_for_continue) {
    RunningServer server;
    RawClient client = server.connect();

    client.send(
        "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        "Expect: 100-continue\r\n\r\n");

    expect_final(client, 401, "UNAUTHORIZED");
}

TEST(HttpServer, turns_what_a_handler_throws_into_an_answer) {
    RunningServer server;
    RawClient client = server.connect();

    client.send(post_request("/throw", "a") + post_request("/no_memory", "a") +
                get_request("/refuse_throw"));

    const RawAnswer thrown = client.read_answer();
    EXPECT_EQ(thrown.status, 500);
    EXPECT_EQ(code_of(thrown), "INTERNAL");
    EXPECT_EQ(thrown.body.find("on purpose"), std::string::npos);
    const RawAnswer no_memory = client.read_answer();
    EXPECT_EQ(no_memory.status, 503);
    EXPECT_EQ(no_memory.field("retry-after"), "1");
    EXPECT_EQ(client.read_answer().status, 500);
    ASSERT_EQ(server.loops().log_lines().size(), 3U);
    EXPECT_NE(server.loops().log_lines()[0].find("thrown on purpose"), std::string::npos);
}

TEST(HttpServer, gives_answers_that_need_no_wait) {
    RunningServer server;
    RawClient client = server.connect();

    client.send(get_request("/at_once") + get_request("/throw_at_once") + get_request("/at_once"));

    EXPECT_EQ(client.read_answer().body, "now");
    EXPECT_EQ(client.read_answer().status, 500);
    EXPECT_EQ(client.read_answer().body, "now");
}

TEST(HttpServer, ends_the_connection_behind_an_error_in_head_or_framing) {
    RunningServer server;
    const std::string chunked =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string begin = "POST /echo HTTP/1.1\r\nHost: a\r\n";
    struct Case {
        std::string bytes;
        int status;
        std::string code;
    };
    const std::vector<Case> cases = {
        {"nonsense\r\n\r\n", 400, "HEAD_INVALID"},
        {"GET / HTTP/1.1\r\n\r\n", 400, "HEAD_INVALID"},
        {chunked + "x\r\n", 400, "BODY_INVALID"},
        {begin + "\r\n", 411, "LENGTH_REQUIRED"},
        {begin + "Content-Length: 99999999\r\n\r\n", 413, "TOO_LARGE"},
        {chunked + "9999999\r\n", 413, "TOO_LARGE"},
        {begin + "Content-Length: 1\r\nExpect: more\r\n\r\n", 417, "EXPECTATION_UNKNOWN"},
        {begin + "X: " + std::string(20000, 'x') + "\r\n\r\n", 431, "HEAD_TOO_LARGE"},
        {begin + "Transfer-Encoding: gzip\r\n\r\n", 501, "TRANSFER_CODING_UNKNOWN"},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "VERSION_UNSUPPORTED"},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 405, "METHOD_NOT_ALLOWED"},
    };

    for (const Case& one : cases) {
        RawClient client = server.connect();
        client.send(one.bytes + get_request("/smuggled"));
        SCOPED_TRACE(one.bytes.substr(0, 200));
        expect_final(client, one.status, one.code);
        EXPECT_GE(server.answers(one.status), 1U);
    }
    EXPECT_EQ(server.handler().answered(), 0);
}

TEST(HttpServer, tells_who_wants_a_tunnel_what_is_served) {
    RunningServer server;
    RawClient client = server.connect();

    client.send("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n");

    EXPECT_EQ(client.read_answer().field("allow"), "GET, POST");
}

TEST(HttpServer, lets_a_client_that_sends_much_too_much_read_the_answer) {
    RunningServer server;
    RawClient client = server.connect();
    const std::string body(1024 * 1024, 'x');

    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n");
    for (int i = 0; i < 64; ++i) client.send(body);

    expect_final(client, 413, "TOO_LARGE");
}

TEST(HttpServer, says_what_is_wrong_with_a_request_that_ends_early) {
    RunningServer server;
    for (const char* part :
         {"GET / HT", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"}) {
        RawClient client = server.connect();
        client.send(part);
        client.end_sending();

        const RawAnswer answer = client.read_answer();
        EXPECT_EQ(answer.status, 400);
        EXPECT_NE(answer.body.find("middle of the request"), std::string::npos);
    }
    RawClient silent = server.connect();
    silent.end_sending();
    EXPECT_EQ(silent.read_to_end(), "");
}

TEST(HttpServer, survives_a_reset) {
    RunningServer server;
    {
        RawClient client = server.connect();
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
        ASSERT_TRUE(test::eventually([&] { return server.connections() == 1; }));
        client.reset();
    }
    EXPECT_TRUE(test::eventually([&] { return server.connections() == 0; }));
    RawClient client = server.connect();
    client.send(get_request("/echo"));
    EXPECT_EQ(client.read_answer().status, 200);
}

TEST(HttpServer, holds_to_every_verdict_whole_and_byte_by_byte) {
    std::ifstream file(FANFARE_TEST_DATA "/http-requests.json");
    const nlohmann::json verdicts = nlohmann::json::parse(file);
    RunningServer server;
    for (const nlohmann::json& entry : verdicts) {
        const std::string hex = entry["hex"];
        std::string bytes;
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
        }
        const bool is_rejected = entry["verdict"] == "reject";
        for (const bool is_slow : {false, true}) {
            SCOPED_TRACE(entry["name"].get<std::string>() + (is_slow ? " slow" : " whole"));
            const int before = server.handler().answered();
            RawClient client = server.connect();
            for (const char byte : is_slow ? bytes : "") client.try_send({&byte, 1});
            client.try_send((is_slow ? "" : bytes) + get_request("/smuggled"));

            const RawAnswer answer = client.read_answer();
            if (!is_rejected) {
                EXPECT_EQ(answer.body, "POST /e abc");
                EXPECT_EQ(client.read_answer().body, "GET /smuggled ");
                continue;
            }
            EXPECT_GE(answer.status, 400);
            EXPECT_LT(answer.status, 506);
            EXPECT_EQ(client.read_to_end(), "");
            EXPECT_EQ(server.handler().answered(), before);
        }
    }
}

}  // namespace
}  // namespace fanfare
