#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace fanfare {
namespace {

std::string counting(int from, int step) {
    std::string bytes;
    for (int i = 0; i < 32; ++i) bytes += static_cast<char>(from + i * step);
    return bytes;
}

TEST(Crc32c, is_what_rfc_3720_says) {
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
    EXPECT_EQ(crc32c(counting(0, 1)), 0x46DD794EU);
    EXPECT_EQ(crc32c(counting(31, -1)), 0x113FDB5CU);
    EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
    EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, is_the_same_without_the_instruction) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (std::size_t size = 0; size < 200; ++size) {
        std::string bytes;
        while (bytes.size() < size) bytes += static_cast<char>(random());

        EXPECT_EQ(crc32c_portable(bytes), crc32c(bytes)) << size;
    }
}

TEST(Crc32c, goes_on_where_it_ended) {
    const std::string text = "goes on where it ended";
    for (std::size_t i = 0; i <= text.size(); ++i) {
        EXPECT_EQ(crc32c(text.substr(i), crc32c(text.substr(0, i))), crc32c(text)) << i;
        EXPECT_EQ(crc32c_portable(text.substr(i), crc32c_portable(text.substr(0, i))), crc32c(text))
            << i;
    }
}

}  // namespace
}  // namespace fanfare
