// A head must come to the same however it is cut into pieces: what the network does to a message
// must not decide what it means.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "http/framing.h"

namespace fanfare {
namespace {

/// All that a scan says, as text.
std::string describe(const HeadScan& scan, const HeadParts& parts, std::string_view bytes) {
    if (scan.state == HeadScan::State::bad) return std::string("bad: ") + scan.problem;
    if (scan.state == HeadScan::State::incomplete) return "incomplete";
    std::string text = std::to_string(scan.size) + ' ' + std::to_string(parts.version) + ' ' +
                       std::to_string(parts.status);
    const auto add = [&](TextSpan span) { text.append(" <").append(span.in(bytes)).append(">"); };
    add(parts.method);
    add(parts.target);
    for (const HeadParts::Field& field : parts.fields) {
        add(field.name);
        add(field.value);
    }
    return text;
}

/// Lets more and more of `bytes` be seen, ever somewhere else, up to each of `ends`.
std::string scan_up_to(const std::vector<std::size_t>& ends, const std::string& bytes,
                       HeadScanner::Kind kind) {
    HeadScanner scanner(kind);
    HeadScan scan;
    for (const std::size_t end : ends) {
        const std::string seen = bytes.substr(0, end);
        scan = scanner.scan(seen);
        if (scan.state != HeadScan::State::incomplete) break;
    }
    return describe(scan, scanner.parts(), bytes);
}

std::string scan_whole(const std::string& bytes, HeadScanner::Kind kind) {
    return scan_up_to({bytes.size()}, bytes, kind);
}

/// A head that is right, or nearly so, or has a few bytes changed.
std::string make_head(HeadScanner::Kind kind, std::mt19937& random) {
    static const std::vector<std::string> request_lines = {
        "GET / HTTP/1.1\r\n", "POST /e?f HTTP/1.0\r\n", "PRI * HTTP/2.0\r\n",
        "GET /  HTTP/1.1\r\n"};
    static const std::vector<std::string> status_lines = {
        "HTTP/1.1 204 No Content\r\n", "HTTP/1.0 200 \r\n", "HTTP/3.7 099 \x80\t\r\n",
        "HTTP/1.1 20 \r\n"};
    static const std::vector<std::string> fields = {
        "Host: a\r\n",       "X:\r\n",
        "X: \t \r\n",        "A-Name: and a longer value of it\r\n",
        "X:a\x80\xff b\r\n", "X:\ttab\ttab\r\n",
        "X : y\r\n",         " X: y\r\n",
        "X: y\rz\r\n",       "X\r\n",
        ": y\r\n",           "X: 0123456789\x7f\r\n"};
    const auto pick = [&](const std::vector<std::string>& from) {
        return from[random() % from.size()];
    };
    std::string head = pick(kind == HeadScanner::Kind::request ? request_lines : status_lines);
    for (std::size_t i = random() % 5; i > 0; --i) {
        head += random() % 4 != 0 ? fields[random() % 6] : pick(fields);
    }
    head += "\r\nbody";
    if (random() % 2 == 0) head[random() % head.size()] = static_cast<char>(random());
    return head;
}

TEST(HeadInPieces, comes_to_the_same_cut_anywhere) {
    for (const std::string bytes :
         {"GET /a HTTP/1.1\r\nHost: b\r\nX: \t y z \r\nEmpty:\r\n\r\nbody",
          "GET /a HTTP/1.1\r\nHost: b\r\n c\r\n\r\n", "GET /a HTTP/1.1\r\nHost: b\rc\r\n\r\n"}) {
        const std::string expected = scan_whole(bytes, HeadScanner::Kind::request);
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            const std::vector<std::size_t> ends = {cut, bytes.size()};
            EXPECT_EQ(scan_up_to(ends, bytes, HeadScanner::Kind::request), expected) << cut;
        }
    }
}

TEST(HeadInPieces, comes_to_the_same_for_random_heads_and_cuts) {
    constexpr unsigned seed = 20270131;
    std::mt19937 random(seed);
    std::size_t complete = 0;
    for (int round = 0; round < 5000; ++round) {
        const auto kind = round % 2 == 0 ? HeadScanner::Kind::request : HeadScanner::Kind::response;
        const std::string bytes = make_head(kind, random);
        const std::string expected = scan_whole(bytes, kind);
        if (expected[0] >= '0' && expected[0] <= '9') ++complete;

        std::vector<std::size_t> all;
        std::vector<std::size_t> some;
        for (std::size_t end = 0; end <= bytes.size(); ++end) {
            all.push_back(end);
            if (random() % 8 == 0) some.push_back(end);
        }
        some.push_back(bytes.size());

        ASSERT_EQ(scan_up_to(all, bytes, kind), expected) << "seed " << seed << '\n' << bytes;
        ASSERT_EQ(scan_up_to(some, bytes, kind), expected) << "seed " << seed << '\n' << bytes;
    }
    EXPECT_GT(complete, 1000U) << "most heads are bad: the test has lost its point";
}

}  // namespace
}  // namespace fanfare
