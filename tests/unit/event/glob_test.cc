#include "event/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

struct GlobCase {
    const char* pattern;
    const char* text;
    bool matches;
};
class Glob : public testing::TestWithParam<GlobCase> {};

TEST_P(Glob, decides) {
    EXPECT_EQ(matches_glob(GetParam().pattern, GetParam().text), GetParam().matches)
        << GetParam().pattern << " on " << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, Glob,
    testing::Values(GlobCase{"", "", true}, GlobCase{"", "a", false}, GlobCase{"*", "", true},
                    GlobCase{"*", "a/b", true}, GlobCase{"library/*", "library/app/x", true},
                    GlobCase{"library/*", "library", false}, GlobCase{"*/app", "a/b/app", true},
                    GlobCase{"a*b*c", "aXbYbZc", true}, GlobCase{"a*b*c", "aXbYbZ", false},
                    GlobCase{"*a", "aaa", true}, GlobCase{"**", "x", true},
                    GlobCase{"a?c", "abc", true}, GlobCase{"a?c", "ac", false},
                    GlobCase{"?", "", false}, GlobCase{"?", "\xe2\x82\xac", true},
                    GlobCase{"??", "\xe2\x82\xac", false}, GlobCase{"[abc]", "b", true},
                    GlobCase{"[abc]", "d", false}, GlobCase{"[a-c]x", "bx", true},
                    GlobCase{"[!a-c]", "d", true}, GlobCase{"[!a-c]", "b", false},
                    GlobCase{"[\xc3\xa0-\xc3\xaf]", "\xc3\xa9", true}, GlobCase{"[]]", "]", true},
                    GlobCase{"[!]]", "]", false}, GlobCase{"[a-]", "-", true},
                    GlobCase{"[-a]", "-", true}, GlobCase{"[*]", "*", true},
                    GlobCase{"[*]", "a", false}, GlobCase{"[", "[", true},
                    GlobCase{"[ab", "[ab", true}, GlobCase{"a[", "ab", false},
                    GlobCase{"v[0-9]*", "v12", true}, GlobCase{"V1", "v1", false},
                    GlobCase{"*[0-9]", "a1b2", true}, GlobCase{"*[0-9]", "a1b", false}));

TEST(GlobMatch, does_not_take_exponential_time) {
    std::string pattern;
    for (int i = 0; i < 40; ++i) pattern += "*a";

    EXPECT_FALSE(matches_glob(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace fanfare
