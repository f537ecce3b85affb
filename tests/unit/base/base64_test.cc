#include "base/base64.h"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

// RFC 4648 10.
TEST(Base64, agrees_with_the_vectors_of_its_definition_both_ways) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(base64(bytes), text);
        EXPECT_EQ(from_base64(text), bytes);
    }
}

TEST(Base64, keeps_every_byte) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));

    EXPECT_EQ(from_base64(base64(bytes)), bytes);
}

TEST(Base64, refuses_what_it_is_not) {
    for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zm9v=", "Zm-v", "Zm_v", "Zm9v\n",
                             " Zm9v", "Zg==Zg==", "Z=g="}) {
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace fanfare
