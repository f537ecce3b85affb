#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "http/http_parser.h"

namespace fanfare {
namespace {

constexpr std::string_view smuggled = "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n";

struct Parsed {
    std::vector<std::string> requests;  ///< `METHOD target body`
    std::optional<HttpProblem> problem;
    std::size_t consumed = 0;
};

/// Feeds `bytes` in pieces, as a session does, and takes every request that comes of it.
Parsed parse(std::string_view bytes, std::size_t piece, const RequestParser::Limits& limits = {}) {
    RequestParser parser(limits);
    Parsed parsed;
    std::size_t available = 0;
    while (parsed.consumed < bytes.size() && !parser.problem()) {
        available = std::max(available, std::min(bytes.size(), parsed.consumed + piece));
        parsed.consumed += parser.feed(bytes.substr(parsed.consumed, available - parsed.consumed));
        if (parser.is_done()) {
            const RequestHead& head = parser.head();
            const std::string begin = std::string(head.method) + ' ' + std::string(head.target);
            parsed.requests.push_back(begin + ' ' + parser.take_body());
            parser.next();
        }
    }
    parsed.problem = parser.problem();
    if (parser.problem()) {
        EXPECT_EQ(parser.feed(smuggled), 0U) << "a parser with a problem must stay stuck";
    }
    return parsed;
}

int status_of(std::string_view bytes) {
    const Parsed whole = parse(bytes, bytes.size());
    const Parsed slow = parse(bytes, 1);
    const int status = whole.problem ? whole.problem->status : 0;
    EXPECT_EQ(slow.problem ? slow.problem->status : 0, status);
    EXPECT_EQ(slow.requests, whole.requests);
    return status;
}

std::string post(std::string_view fields, std::string_view body = "") {
    return "POST /e HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

nlohmann::json load_verdicts() {
    std::ifstream file(FANFARE_TEST_DATA "/http-requests.json");
    return nlohmann::json::parse(file);
}

TEST(RequestVerdicts, hold_for_requests_sent_whole_and_in_pieces) {
    const nlohmann::json verdicts = load_verdicts();
    ASSERT_GT(verdicts.size(), 30U);

    for (const nlohmann::json& entry : verdicts) {
        const std::string name = entry["name"];
        const std::string bytes = from_hex(entry["hex"]) + std::string(smuggled);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
            const Parsed parsed = parse(bytes, piece);
            // That CONNECT is refused is the server's part, the parser has nothing against it.
            if (name == "connect-body") continue;
            if (entry["verdict"] == "reject") {
                EXPECT_TRUE(parsed.problem) << name << ' ' << piece;
                EXPECT_TRUE(parsed.requests.empty()) << name << ' ' << piece;
            } else {
                const std::vector<std::string> expected = {"POST /e abc", "GET /smuggled "};
                EXPECT_EQ(parsed.requests, expected) << name << ' ' << piece;
                EXPECT_FALSE(parsed.problem) << name << ' ' << piece;
            }
        }
    }
}

TEST(RequestParser, tells_the_status_of_each_problem) {
    EXPECT_EQ(status_of(post("Transfer-Encoding: gzip\r\n")), 501);
    EXPECT_EQ(status_of(post("Transfer-Encoding: gzip, chunked\r\n")), 501);
    EXPECT_EQ(status_of(post("Transfer-Encoding: chunked, chunked\r\n")), 400);
    EXPECT_EQ(status_of(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")), 400);
    EXPECT_EQ(status_of(post("Content-Length: 3, 3\r\n", "abc")), 400);
    EXPECT_EQ(status_of(post("")), 411);
    EXPECT_EQ(status_of(post("Content-Length: 4194305\r\n")), 413);
    EXPECT_EQ(status_of(post("Content-Length: 9999999999\r\n")), 413);
    EXPECT_EQ(status_of(post("Expect: 200-ok\r\nContent-Length: 0\r\n")), 417);
    EXPECT_EQ(status_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET / HTTP/0.9\r\nConnection: a b\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of(post("Content-Length: 0\r\nwebhook-id: a\r\nWebhook-Id: a\r\n")), 400);
    EXPECT_EQ(status_of(post("Content-Length: 0\r\nidempotency-key: a\r\nIdempotency-Key: b\r\n")),
              400);
}

TEST(RequestParser, refuses_a_connection_field_that_is_no_list_of_tokens) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: close x\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: \"x\"\r\n\r\n"), 400);
    EXPECT_EQ(status_of(post("Transfer-Encoding: gzip\r\nConnection: a;b\r\n")), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: , TE,\r\n\r\n"), 0);
}

TEST(RequestParser, does_not_take_over_a_version_that_it_refuses) {
    RequestParser parser({});

    parser.feed("GET / HTTP/2.0\r\n\r\n");

    EXPECT_EQ(parser.problem().value().status, 505);
    EXPECT_EQ(parser.head().version, 11);
}

TEST(RequestParser, takes_what_is_unusual_but_right) {
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    EXPECT_EQ(status_of("PUT / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    EXPECT_EQ(status_of(post("Content-Type: a\r\nContent-Type: b\r\nContent-Length: 0\r\n")), 0);
    EXPECT_EQ(status_of(post("Transfer-Encoding: ChunKED\r\n", "0\r\n\r\n")), 0);
    EXPECT_EQ(status_of(post("X: \t\x80\xff\t\r\nContent-Length:\t0\t\r\n")), 0);
    EXPECT_EQ(status_of("\r\nGET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(RequestParser, ignores_one_empty_line_before_each_request_and_no_more) {
    const std::string first = post("Content-Length: 3\r\n", "abc");

    EXPECT_EQ(parse(first + "\r\n" + first, 1).requests.size(), 2U);
    EXPECT_EQ(parse(first + "\r\n" + first, 1000).requests.size(), 2U);
    EXPECT_EQ(status_of(first + "\r\n\r\n" + first), 400);
    EXPECT_EQ(status_of("\rGET / HTTP/1.0\r\n\r\n"), 400);
}

TEST(RequestParser, is_not_begun_by_an_empty_line) {
    RequestParser parser({});

    EXPECT_EQ(parser.feed("\r\n"), 2U);
    EXPECT_FALSE(parser.has_begun());
    EXPECT_EQ(parser.feed("G"), 1U);
    EXPECT_TRUE(parser.has_begun());
}

TEST(RequestParser, reads_pipelined_requests_in_order) {
    const std::string bytes =
        post("Content-Length: 3\r\n", "abc") + "GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n" +
        post("Transfer-Encoding: chunked\r\n", "2\r\nde\r\n1\r\nf\r\n0\r\n\r\n");
    const std::vector<std::string> expected = {"POST /e abc", "GET /x?y ", "POST /e def"};

    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        const Parsed parsed = parse(bytes, piece);

        EXPECT_EQ(parsed.requests, expected) << piece;
        EXPECT_EQ(parsed.consumed, bytes.size()) << piece;
    }
}

TEST(RequestParser, stops_at_the_end_of_the_head_and_of_the_message) {
    RequestParser parser({});
    const std::string head = "POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";

    EXPECT_EQ(parser.feed(head + "abcGET"), head.size());
    EXPECT_TRUE(parser.has_head());
    EXPECT_FALSE(parser.is_done());
    EXPECT_EQ(parser.feed("abcGET"), 3U);
    EXPECT_TRUE(parser.is_done());
    EXPECT_EQ(parser.feed("GET"), 0U);
}

TEST(RequestParser, describes_the_head) {
    RequestParser parser({});

    parser.feed(
        "POST http://a/e?b HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 7\r\n"
        "X-A:  one \r\nx-a: two\r\n\r\n");

    ASSERT_TRUE(parser.has_head());
    const RequestHead& head = parser.head();
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "http://a/e?b");
    EXPECT_EQ(head.version, 11);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_EQ(head.content_length, 7U);
    EXPECT_EQ(head.find("X-a"), "one");
    EXPECT_EQ(head.count("X-A"), 2U);
    EXPECT_FALSE(head.find("X-B"));
}

TEST(RequestParser, keeps_the_head_when_what_it_was_fed_with_is_gone) {
    RequestParser parser({});
    std::string bytes = "GET /a HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";

    parser.feed(bytes);
    bytes.assign(bytes.size(), '#');

    ASSERT_TRUE(parser.is_done());
    EXPECT_EQ(parser.head().method, "GET");
    EXPECT_EQ(parser.head().target, "/a");
    EXPECT_EQ(parser.head().find(FieldName::host), "b");
    EXPECT_EQ(parser.head().find("x"), "y");
}

TEST(RequestParser, does_not_carry_a_head_over_to_the_next_message) {
    RequestParser parser({});
    parser.feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: y\r\n\r\n");
    parser.next();

    parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

    EXPECT_TRUE(parser.head().keep_alive);
    EXPECT_FALSE(parser.head().find("X"));
}

TEST(RequestParser, does_not_offer_continue_to_a_1_0_client) {
    RequestParser parser({});

    parser.feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");

    ASSERT_TRUE(parser.has_head());
    EXPECT_FALSE(parser.head().expects_continue);
}

TEST(RequestParser, refuses_a_head_beyond_its_limit_and_takes_one_of_just_that) {
    RequestParser::Limits limits;
    limits.head_bytes_max = 100;
    const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const std::string fits = begin + std::string(96 - begin.size(), 'x') + "\r\n\r\n";
    const std::string endless = begin + std::string(1000, 'x');

    for (const std::size_t piece : {std::size_t{1}, std::size_t{64}, std::size_t{2000}}) {
        EXPECT_EQ(parse(fits, piece, limits).requests.size(), 1U) << piece;
        EXPECT_EQ(parse(endless, piece, limits).problem.value().status, 431) << piece;
        const Parsed over = parse("G" + fits, piece, limits);
        EXPECT_EQ(over.problem.value().status, 431) << piece;
    }
}

TEST(RequestParser, refuses_a_chunked_body_beyond_its_limit_while_it_comes) {
    RequestParser::Limits limits;
    limits.body_bytes_max = 4;
    const std::string bytes = post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\n");

    EXPECT_EQ(parse(bytes, 1, limits).problem.value().status, 413);
    EXPECT_EQ(parse(bytes, 1000, limits).problem.value().status, 413);
}

TEST(RequestParser, keeps_room_behind_the_body) {
    for (const std::size_t size : {0U, 1U, 15U, 16U, 1000U, 300'000U}) {
        RequestParser parser({});
        const std::string body(size, 'x');
        const std::string bytes = post("Content-Length: " + std::to_string(size) + "\r\n", body);
        std::string_view rest = bytes;
        while (!rest.empty()) rest.remove_prefix(parser.feed(rest.substr(0, 4096)));

        const std::string taken = parser.take_body();

        EXPECT_EQ(taken, body);
        EXPECT_GE(taken.capacity(), size + 64) << size;
    }
}

TEST(RequestParser, drops_a_body_that_is_not_wanted_but_still_bounds_it) {
    RequestParser::Limits limits;
    limits.body_bytes_max = 4;
    RequestParser parser(limits);
    std::string bytes = post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
    std::string_view rest = bytes;
    rest.remove_prefix(parser.feed(rest));
    parser.discard_body();
    parser.feed(rest);

    ASSERT_TRUE(parser.is_done());
    EXPECT_EQ(parser.take_body(), "");

    parser.next();
    bytes = post("Transfer-Encoding: chunked\r\n", "5\r\nabcde\r\n");
    rest = bytes;
    rest.remove_prefix(parser.feed(rest));
    parser.discard_body();
    parser.feed(rest);
    EXPECT_EQ(parser.problem().value().status, 413);
}

TEST(RequestParser, takes_a_post_without_length_where_that_is_allowed) {
    RequestParser::Limits limits;
    limits.post_needs_length = false;

    EXPECT_EQ(parse("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 1, limits).requests.size(), 1U);
}

TEST(RequestHead, tells_the_path_of_its_target) {
    const auto path = [](std::string_view target) {
        RequestHead head;
        head.target = target;
        return std::string(head.path());
    };
    EXPECT_EQ(path("/events"), "/events");
    EXPECT_EQ(path("/events?a=/b"), "/events");
    EXPECT_EQ(path("/a://b/c"), "/a://b/c");
    EXPECT_EQ(path("http://h:1/events?a"), "/events");
    EXPECT_EQ(path("http://h"), "/");
    EXPECT_EQ(path("http://h?a=/b"), "/");
    EXPECT_EQ(path("*"), "");
    EXPECT_EQ(path("h:80"), "");
}

}  // namespace
}  // namespace fanfare
