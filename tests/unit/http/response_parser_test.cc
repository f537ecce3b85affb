#include <gtest/gtest.h>

#include "http/http_parser.h"

namespace fanfare {
namespace {

struct Answer {
    int status = 0;
    bool is_done = false;
    bool is_too_long = false;
    bool keep_alive = false;
    bool has_problem = false;
    std::string body;
    std::size_t consumed = 0;

    bool operator==(const Answer&) const = default;
};

Answer parse_answer(std::string_view bytes, std::size_t piece, bool ends) {
    ResponseParser parser;
    parser.keep_body(true);
    Answer answer;
    while (answer.consumed < bytes.size() && !parser.is_done() && !parser.is_too_long() &&
           parser.problem() == nullptr) {
        answer.consumed += parser.feed(bytes.substr(answer.consumed, piece));
    }
    if (ends) parser.feed_eof();
    answer.status = parser.has_head() ? parser.status() : 0;
    answer.is_done = parser.is_done();
    answer.is_too_long = parser.is_too_long();
    answer.keep_alive = parser.keep_alive();
    answer.has_problem = parser.problem() != nullptr;
    answer.body = parser.body();
    // How far a parser came before it saw a problem is of no interest.
    if (answer.has_problem) answer.consumed = 0;
    return answer;
}

/// Whole and one byte at a time must come to the same.
Answer parse_answer(std::string_view bytes, bool ends = false) {
    const Answer whole = parse_answer(bytes, bytes.size(), ends);
    EXPECT_EQ(parse_answer(bytes, 1, ends), whole) << bytes;
    return whole;
}

TEST(ResponseParser, reads_an_answer_with_a_length) {
    const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

    const Answer answer = parse_answer(bytes + "more");

    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.is_done);
    EXPECT_TRUE(answer.keep_alive);
    EXPECT_EQ(answer.body, "abc");
    EXPECT_EQ(answer.consumed, bytes.size());
}

TEST(ResponseParser, reads_a_chunked_answer) {
    const Answer answer = parse_answer(
        "HTTP/1.1 503 No\r\nTransfer-Encoding: Chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: "
        "u\r\n\r\n");

    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.is_done);
    EXPECT_TRUE(answer.keep_alive);
    EXPECT_EQ(answer.body, "abc");
}

TEST(ResponseParser, reads_to_the_end_of_the_connection_if_there_is_no_length) {
    const std::string bytes = "HTTP/1.1 200 OK\r\n\r\nabc";

    EXPECT_FALSE(parse_answer(bytes).is_done);
    const Answer answer = parse_answer(bytes, true);

    EXPECT_TRUE(answer.is_done);
    EXPECT_FALSE(answer.keep_alive);
    EXPECT_EQ(answer.body, "abc");
}

TEST(ResponseParser, skips_interim_answers) {
    const Answer answer = parse_answer(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
        "HTTP/1.1 204 No Content\r\n\r\n");

    EXPECT_EQ(answer.status, 204);
    EXPECT_TRUE(answer.is_done);
    EXPECT_TRUE(answer.keep_alive);
}

TEST(ResponseParser, takes_101_for_an_answer_and_ends_the_connection) {
    const Answer answer = parse_answer("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n");

    EXPECT_EQ(answer.status, 101);
    EXPECT_TRUE(answer.is_done);
    EXPECT_FALSE(answer.keep_alive);
}

TEST(ResponseParser, does_not_reuse_a_connection_behind_a_204_with_a_length) {
    EXPECT_FALSE(parse_answer("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n").keep_alive);
    EXPECT_TRUE(parse_answer("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

TEST(ResponseParser, heeds_connection_close_and_version_1_0) {
    EXPECT_FALSE(parse_answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                     .keep_alive);
    EXPECT_FALSE(parse_answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
    EXPECT_TRUE(
        parse_answer("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")
            .keep_alive);
}

class BadAnswer : public testing::TestWithParam<std::string> {};

TEST_P(BadAnswer, is_a_problem) {
    const Answer answer = parse_answer(GetParam());

    EXPECT_TRUE(answer.has_problem);
    EXPECT_FALSE(answer.is_done);
    EXPECT_FALSE(answer.keep_alive);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, BadAnswer,
    testing::Values("SSH-2.0-OpenSSH\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 12345678901\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nConnection: a b\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nProxy-Connection: a/b\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 102 Wait\r\nConnection: a b\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
                    "HTTP/1.1 102 Wait\r\nContent-Length: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
                    "HTTP/1.2 102 Wait\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
                    "HTTP/1.1 102 Wait\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "HTTP/1.1 204 No\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n"));

TEST(ResponseParser, finds_an_early_end) {
    EXPECT_TRUE(parse_answer("HTTP/1.1 200", true).has_problem);
    EXPECT_TRUE(parse_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true).has_problem);
    EXPECT_TRUE(
        parse_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true)
            .has_problem);
    EXPECT_TRUE(parse_answer("HTTP/1.1 100 Continue\r\n\r\n", true).has_problem);
}

TEST(ResponseParser, bounds_all_heads_together) {
    const std::string interim = "HTTP/1.1 102 Wait\r\nX: " + std::string(1000, 'x') + "\r\n\r\n";
    std::string bytes;
    while (bytes.size() <= ResponseParser::head_bytes_max) bytes += interim;

    EXPECT_TRUE(parse_answer(bytes).has_problem);
    EXPECT_TRUE(parse_answer("HTTP/1.1 200 OK\r\nX: " + std::string(65536, 'x')).has_problem);
}

TEST(ResponseParser, does_not_read_a_body_that_is_too_long) {
    const std::string just(ResponseParser::body_bytes_max, 'x');
    const std::string ok = "HTTP/1.1 200 OK\r\n";

    const Answer announced = parse_answer(ok + "Content-Length: 65537\r\n\r\nabc");
    EXPECT_TRUE(announced.is_too_long);
    EXPECT_EQ(announced.status, 200);
    EXPECT_TRUE(parse_answer(ok + "Transfer-Encoding: chunked\r\n\r\n10001\r\nabc").is_too_long);
    EXPECT_TRUE(parse_answer(ok + "\r\n" + just + "x").is_too_long);
    EXPECT_TRUE(parse_answer(ok + "\r\n" + just, true).is_done);
}

TEST(ResponseParser, can_be_used_again) {
    ResponseParser parser;
    parser.feed("HTTP/1.1 500 Oh\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(parser.find("retry-after"), "7");

    parser.reset();

    EXPECT_FALSE(parser.has_begun());
    EXPECT_FALSE(parser.has_head());
    parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(parser.status(), 200);
    EXPECT_TRUE(parser.is_done());
    EXPECT_FALSE(parser.find("Retry-After"));
}

}  // namespace
}  // namespace fanfare
