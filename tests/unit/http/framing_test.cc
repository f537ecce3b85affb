#include "http/framing.h"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

using ScanState = HeadScan::State;

TEST(RequestHeadScan, ends_a_head_behind_its_blank_line) {
    const std::string head = "POST /e HTTP/1.1\r\nHost: a\r\n\r\n";

    const HeadScan scan = scan_request_head(head + "body");

    EXPECT_EQ(scan.state, ScanState::complete);
    EXPECT_EQ(scan.size, head.size());
}

TEST(RequestHeadScan, is_incomplete_for_every_shorter_piece) {
    const std::string head = "POST /e HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n";

    for (std::size_t size = 0; size < head.size(); ++size) {
        EXPECT_EQ(scan_request_head(head.substr(0, size)).state, ScanState::incomplete) << size;
    }
}

TEST(RequestHeadScan, takes_tabs_and_bytes_above_ascii_in_values) {
    const HeadScan scan = scan_request_head("GET / HTTP/1.1\r\nX:\ta\tb\x80\xff \r\n\r\n");

    EXPECT_EQ(scan.state, ScanState::complete);
}

class BadRequestHead : public testing::TestWithParam<std::string> {};

TEST_P(BadRequestHead, is_refused_with_a_reason) {
    const HeadScan scan = scan_request_head(GetParam());

    EXPECT_EQ(scan.state, ScanState::bad);
    EXPECT_NE(scan.problem, nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, BadRequestHead,
    testing::Values("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n",
                    "GET / HTTP/1.1\r\n A: b\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
                    "GET / HTTP/1.1\r\nA: b\n\r\n", "GET / HTTP/1.1\nA: b\r\n\r\n",
                    "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n\n",
                    "GET / HTTP/1.1\r\nA: b\r\n\rX",
                    std::string("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 23),
                    "GET / HTTP/1.1\r\nA: \x7f\r\n\r\n", "GET / HTTP/1.1\r\nA\r\n\r\n",
                    "GET / HTTP/1.1\r\n: b\r\n\r\n", "GET / HTTP/1.1\r\nA(: b\r\n\r\n",
                    "GET / HTTP/1.1\r\nA\x80: b\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
                    "GET /  HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
                    "GET /\r\n\r\n", "GET / http/1.1\r\n\r\n", "GET / HTTP/1.\r\n\r\n",
                    "GET / HTTP/11\r\n\r\n", "G[T / HTTP/1.1\r\n\r\n", "GET\t/ HTTP/1.1\r\n\r\n",
                    "GET /\x01 HTTP/1.1\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\r\n",
                    "\x16\x03\x01\x02"));

TEST(RequestHeadScan, refuses_a_bad_byte_before_its_line_ends) {
    EXPECT_EQ(scan_request_head("\x16").state, ScanState::bad);
}

TEST(HeadScanner, goes_on_where_it_stopped) {
    const std::string head = "HTTP/1.1 200 OK\r\nServer: a b\r\nX: \r\n\r\n";
    HeadScanner scanner(HeadScanner::Kind::response);

    for (std::size_t size = 1; size < head.size(); ++size) {
        ASSERT_EQ(scanner.scan(head.substr(0, size)).state, ScanState::incomplete) << size;
    }
    const HeadScan scan = scanner.scan(head);

    EXPECT_EQ(scan.state, ScanState::complete);
    EXPECT_EQ(scan.size, head.size());
}

TEST(HeadScanner, notes_the_parts_of_a_request) {
    const std::string head = "POST /e?f HTTP/1.0\r\nHost:a\r\nX-Y: \t b  c\t \r\nZ: \t\r\n\r\n";
    HeadScanner scanner(HeadScanner::Kind::request);

    ASSERT_EQ(scanner.scan(head + "body").state, ScanState::complete);

    const HeadParts& parts = scanner.parts();
    EXPECT_EQ(parts.method.in(head), "POST");
    EXPECT_EQ(parts.target.in(head), "/e?f");
    EXPECT_EQ(parts.version, 10);
    ASSERT_EQ(parts.fields.size(), 3U);
    EXPECT_EQ(parts.fields[0].name.in(head), "Host");
    EXPECT_EQ(parts.fields[0].value.in(head), "a");
    EXPECT_EQ(parts.fields[1].name.in(head), "X-Y");
    EXPECT_EQ(parts.fields[1].value.in(head), "b  c");
    EXPECT_EQ(parts.fields[2].value.in(head), "");
}

TEST(HeadScanner, notes_the_parts_of_an_answer_also_behind_another_one) {
    const std::string head = "HTTP/1.0 503 Busy\r\nA: b\r\n\r\n";
    HeadScanner scanner(HeadScanner::Kind::response);
    scanner.scan("HTTP/1.1 102 Wait\r\nC: d\r\n\r\n");
    scanner.reset(0);

    ASSERT_EQ(scanner.scan(head).state, ScanState::complete);

    const HeadParts& parts = scanner.parts();
    EXPECT_EQ(parts.status, 503);
    EXPECT_EQ(parts.version, 10);
    ASSERT_EQ(parts.fields.size(), 1U);
    EXPECT_EQ(parts.fields[0].name.in(head), "A");
}

TEST(HeadScanner, finds_a_control_byte_at_any_place_in_a_value) {
    for (int byte = 0; byte < 256; ++byte) {
        const bool is_text = (byte >= 0x20 && byte != 0x7f) || byte == '\t';
        for (std::size_t place = 0; place < 20; ++place) {
            std::string value(20, 'x');
            value[place] = static_cast<char>(byte);
            const HeadScan scan = scan_request_head("GET / HTTP/1.1\r\nA:" + value + "\r\n\r\n");
            EXPECT_EQ(scan.state, is_text ? ScanState::complete : ScanState::bad)
                << byte << ' ' << place;
        }
    }
}

TEST(HeadScanner, takes_an_empty_line_as_the_end_of_no_trailers) {
    HeadScanner scanner(HeadScanner::Kind::trailers);

    const HeadScan scan = scanner.scan("\r\nGET");

    EXPECT_EQ(scan.state, ScanState::complete);
    EXPECT_EQ(scan.size, 2U);
}

TEST(ResponseHeadScan, takes_an_empty_reason) {
    EXPECT_EQ(scan_response_head("HTTP/1.0 204 \r\n\r\n").state, ScanState::complete);
}

class BadResponseHead : public testing::TestWithParam<std::string> {};

TEST_P(BadResponseHead, is_refused_with_a_reason) {
    const HeadScan scan = scan_response_head(GetParam());

    EXPECT_EQ(scan.state, ScanState::bad);
    EXPECT_NE(scan.problem, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Forms, BadResponseHead,
                         testing::Values("HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
                                         "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
                                         "HTTP/1.1 200 O\x01K\r\n\r\n", "ICY 200 OK\r\n\r\n",
                                         "HTTP/1.1 200 OK\n\r\n", "<html>",
                                         "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"));

}  // namespace
}  // namespace fanfare
