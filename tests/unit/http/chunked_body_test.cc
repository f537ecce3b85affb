#include "http/chunked_body.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

struct Decoded {
    std::string data;
    std::size_t consumed = 0;
    bool is_done = false;
    ChunkedBody::Problem problem = ChunkedBody::Problem::none;
};

Decoded decode(std::string_view bytes, std::size_t piece, std::uint64_t body_bytes_max = 1024) {
    ChunkedBody body(body_bytes_max);
    Decoded decoded;
    while (decoded.consumed < bytes.size() && !body.is_done() && body.message() == nullptr) {
        const ChunkedBody::Step step = body.step(bytes.substr(decoded.consumed, piece));
        decoded.data.append(step.data);
        decoded.consumed += step.consumed;
    }
    decoded.is_done = body.is_done();
    decoded.problem = body.problem();
    return decoded;
}

TEST(ChunkedBody, joins_chunks_and_stops_at_the_end) {
    const std::string_view bytes = "3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n";

    for (std::size_t piece = 1; piece <= bytes.size() + 4; ++piece) {
        const Decoded decoded = decode(std::string(bytes) + "GET ", piece);

        ASSERT_TRUE(decoded.is_done) << piece;
        EXPECT_EQ(decoded.data, "abc0123456789") << piece;
        EXPECT_EQ(decoded.consumed, bytes.size()) << piece;
    }
}

class BadChunks : public testing::TestWithParam<std::string> {};

TEST_P(BadChunks, are_refused_whole_and_in_pieces) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, GetParam().size()}) {
        const Decoded decoded = decode(GetParam(), piece);

        EXPECT_FALSE(decoded.is_done);
        EXPECT_EQ(decoded.problem, ChunkedBody::Problem::malformed) << piece;
    }
}

INSTANTIATE_TEST_SUITE_P(Forms, BadChunks,
                         testing::Values("\r\n", ";x\r\n", "0x3\r\nabc\r\n0\r\n\r\n",
                                         "-3\r\nabc\r\n", "+3\r\nabc\r\n", "3 \r\nabc\r\n0\r\n\r\n",
                                         " 3\r\nabc\r\n", "3 ;x\r\nabc\r\n", "3\nabc\r\n",
                                         "3\rabc\r\n", "3;x\ny\r\nabc\r\n", "3;x=\"\n\"\r\nabc\r\n",
                                         "10000000000000003\r\nabc\r\n",
                                         "0000000000000003\r\nabc\r\n", "3\r\nabcd\r\n",
                                         "3\r\nabc\n0\r\n\r\n", "3\r\nabc\rX", "0\r\nT : v\r\n\r\n",
                                         "0\r\nT: v\r\n w\r\n\r\n", "0\r\n\n", "g\r\n"));

TEST(ChunkedBody, refuses_a_body_over_its_limit_when_a_size_says_so) {
    const Decoded decoded = decode("8\r\n01234567\r\n9\r\n", 1, 16);

    EXPECT_EQ(decoded.problem, ChunkedBody::Problem::too_long);
    EXPECT_EQ(decoded.data, "01234567");
}

TEST(ChunkedBody, takes_a_body_of_just_its_limit) {
    EXPECT_TRUE(decode("8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n", 7, 16).is_done);
}

TEST(ChunkedBody, bounds_extensions_over_all_chunks) {
    std::string bytes;
    const std::string chunk =
        "1;" + std::string(ChunkedBody::extension_bytes_max / 4, 'x') + "\r\na\r\n";
    for (int i = 0; i < 5; ++i) bytes += chunk;

    EXPECT_EQ(decode(bytes, 100).problem, ChunkedBody::Problem::malformed);
}

TEST(ChunkedBody, bounds_trailers) {
    const std::string bytes = "0\r\nT: " + std::string(ChunkedBody::trailer_bytes_max, 'x');

    EXPECT_EQ(decode(bytes, 100).problem, ChunkedBody::Problem::trailers_too_long);
    EXPECT_EQ(decode(bytes, bytes.size()).problem, ChunkedBody::Problem::trailers_too_long);
}

}  // namespace
}  // namespace fanfare
