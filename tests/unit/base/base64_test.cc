#include "base/base64.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

TEST(Base64, comes_back_whatever_the_length) {
    const std::string bytes = all_bytes();

    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        EXPECT_EQ(decoded_base64(base64(bytes.substr(0, size))), bytes.substr(0, size));
    }
}

TEST(Base64, is_read_without_padding) {
    EXPECT_EQ(decoded_base64("YQ"), "a");
    EXPECT_EQ(decoded_base64("YWI"), "ab");
    EXPECT_EQ(decoded_base64("YWJj"), "abc");
}

TEST(Base64, is_refused_if_it_is_none) {
    for (const char* const text :
         {"Y", "YQ=", "YQ===", "Y===", "====", "Y Q=", "YQ==YQ==", "_-==", "YQ==\n", "=YQ="}) {
        EXPECT_EQ(decoded_base64(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace fanfare
