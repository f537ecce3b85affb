#include "event/json_check.h"

#include <gtest/gtest.h>

#include <string>

#include "event/json_view.h"
#include "support/padded_text.h"

namespace fanfare {
namespace {

using namespace std::string_literals;
using test::PaddedText;

std::string nested(std::size_t depth, const std::string& open, const std::string& inner,
                   const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += inner;
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
}

struct GoodCase {
    std::string name;
    std::string text;
};
std::string good_name(const testing::TestParamInfo<GoodCase>& info) { return info.param.name; }

class ValidJson : public testing::TestWithParam<GoodCase> {};

TEST_P(ValidJson, is_taken_by_the_checker_and_on_the_hot_path) {
    const PaddedText text(GetParam().text);

    EXPECT_FALSE(check_json(text.view(), json_depth_max));
    EXPECT_FALSE(validate_json(text.view()));
}

INSTANTIATE_TEST_SUITE_P(
    Json, ValidJson,
    testing::Values(
        GoodCase{"empty_object", "{}"}, GoodCase{"empty_array", "[]"},
        GoodCase{"spaced", " \t\r\n{ \"a\" : [ 1 , 2 ] } \r\n"}, GoodCase{"string", "\"a\""},
        GoodCase{"number", "0"}, GoodCase{"negative_zero", "-0"}, GoodCase{"word", "null"},
        GoodCase{"words", "[true,false,null]"},
        GoodCase{"numbers", "[0,-0,1,-1,1.0,-1.5,1e2,1E+2,1e-2,0.1e1,123456789]"},
        GoodCase{"beyond_64_bits", "[123456789012345678901234567890]"},
        GoodCase{"beyond_double", "[1E400,-1e400]"}, GoodCase{"below_double", "[1e-400]"},
        GoodCase{"absurd_exponent", "[1e99999999999999999999]"},
        GoodCase{"long_fraction", "[0." + std::string(2000, '3') + "]"},
        GoodCase{"long_number", std::string(3000, '9')},
        GoodCase{"simple_escapes", R"(["\"\\\/\b\f\n\r\t"])"},
        GoodCase{"unicode_escapes", R"(["\u0041\u00e9\u20AC\uFFFF"])"},
        GoodCase{"surrogate_pair", R"(["\ud83d\ude00\uD83D\uDE00"])"},
        GoodCase{"escaped_backslash_before_u", R"(["\\ud800"])"},
        GoodCase{"escaped_nul", R"(["\u0000"])"}, GoodCase{"delete_character", "[\"\x7f\"]"},
        GoodCase{"utf8", "[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"]"},
        GoodCase{"utf8_4_bytes", "[\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]"},
        GoodCase{"duplicate_keys", R"({"a":1,"a":{"b":2},"\u0061":3})"},
        GoodCase{"empty_key", R"({"":0})"}, GoodCase{"512_arrays", nested(512, "[", "", "]")},
        GoodCase{"512_arrays_with_a_number", nested(512, "[", "1", "]")},
        GoodCase{"512_objects", nested(512, "{\"a\":", "1", "}")},
        GoodCase{"many_shallow", "[" + nested(5000, "[],", "", "") + "{}]"}),
    good_name);

struct BadCase {
    std::string name;
    std::string text;
    std::size_t offset;
};
std::string bad_name(const testing::TestParamInfo<BadCase>& info) { return info.param.name; }

class InvalidJson : public testing::TestWithParam<BadCase> {};

TEST_P(InvalidJson, is_refused_with_its_place) {
    const PaddedText text(GetParam().text);

    const std::optional<JsonProblem> checked = check_json(text.view(), json_depth_max);
    const std::optional<JsonProblem> validated = validate_json(text.view());

    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->offset, GetParam().offset) << checked->message;
    ASSERT_TRUE(validated);
    EXPECT_EQ(validated->offset, checked->offset);
    EXPECT_STREQ(validated->message, checked->message);
}

INSTANTIATE_TEST_SUITE_P(
    Text, InvalidJson,
    testing::Values(BadCase{"empty", "", 0}, BadCase{"white_space_only", " \r\n\t", 4},
                    BadCase{"byte_order_mark", "\xef\xbb\xbf{}", 0}, BadCase{"nul", "\0"s, 0},
                    BadCase{"trailing_nul", "{}\0"s, 2}, BadCase{"trailing_text", "{} x", 3},
                    BadCase{"trailing_bracket", "[1]]", 3},
                    BadCase{"trailing_comma_at_top", "{},", 2}, BadCase{"two_values", "1 2", 2},
                    BadCase{"not_a_number", "[NaN]", 1}, BadCase{"infinity", "[Infinity]", 1},
                    BadCase{"minus_infinity", "[-Infinity]", 2}, BadCase{"python", "[True]", 1},
                    BadCase{"wrong_word", "[nul]", 1}, BadCase{"word_too_long", "[nulls]", 5},
                    BadCase{"single_quotes", "['a']", 1}, BadCase{"comment", "[1,/*2*/3]", 3},
                    BadCase{"vertical_tab", "[1,\v2]", 3}, BadCase{"form_feed", "[1,\f2]", 3},
                    BadCase{"no_break_space",
                            "[\xc2\xa0"
                            "1]",
                            1},
                    BadCase{"513_arrays", nested(513, "[", "", "]"), 512},
                    BadCase{"513_objects", nested(513, "{\"a\":", "1", "}"), 512 * 5},
                    BadCase{"absurd_depth", nested(100000, "[", "", "]"), 512},
                    BadCase{"absurd_unclosed_depth", std::string(1000000, '['), 512}),
    bad_name);

INSTANTIATE_TEST_SUITE_P(
    Structure, InvalidJson,
    testing::Values(
        BadCase{"truncated_object", "{\"a\":1", 6}, BadCase{"truncated_array", "[1,2", 4},
        BadCase{"truncated_after_comma", "[1,", 3}, BadCase{"truncated_key", "{\"a", 3},
        BadCase{"truncated_before_colon", "{\"a\"", 4},
        BadCase{"truncated_after_colon", "{\"a\":", 5}, BadCase{"truncated_string", "[\"abc", 5},
        BadCase{"truncated_escape", "[\"\\", 3}, BadCase{"truncated_word", "[tru", 1},
        BadCase{"array_comma", "[1,]", 3}, BadCase{"leading_comma", "[,1]", 1},
        BadCase{"double_comma", "[1,,2]", 3}, BadCase{"missing_comma", "[1 2]", 3},
        BadCase{"object_comma", "{\"a\":1,}", 7}, BadCase{"key_without_quotes", "{a:1}", 1},
        BadCase{"number_as_key", "{1:1}", 1}, BadCase{"missing_colon", "{\"a\" 1}", 5},
        BadCase{"missing_value", "{\"a\":}", 5}, BadCase{"colon_in_array", "[\"a\":1]", 4},
        BadCase{"wrong_close", "[1}", 2}, BadCase{"wrong_close_of_object", "{\"a\":1]", 6},
        BadCase{"close_only", "]", 0}, BadCase{"colon_only", ":", 0}),
    bad_name);

INSTANTIATE_TEST_SUITE_P(
    Numbers, InvalidJson,
    testing::Values(BadCase{"leading_zero", "[01]", 2}, BadCase{"minus_only", "[-]", 2},
                    BadCase{"minus_leading_zero", "[-01]", 3}, BadCase{"plus", "[+1]", 1},
                    BadCase{"leading_point", "[.5]", 1}, BadCase{"trailing_point", "[1.]", 3},
                    BadCase{"empty_exponent", "[1e]", 3}, BadCase{"sign_exponent", "[1e+]", 4},
                    BadCase{"fraction_in_exponent", "[1e1.5]", 4}, BadCase{"hex", "[0x1]", 2},
                    BadCase{"two_points", "[1.2.3]", 4}, BadCase{"letters", "[12a]", 3},
                    BadCase{"big_and_wrong", "[123456789012345678901234567890x]", 31}),
    bad_name);

INSTANTIATE_TEST_SUITE_P(
    Strings, InvalidJson,
    testing::Values(
        BadCase{"raw_newline", "[\"a\nb\"]", 3}, BadCase{"raw_tab", "[\"\t\"]", 2},
        BadCase{"raw_nul", "[\"\0\"]"s, 2}, BadCase{"control_1f", "[\"\x1f\"]", 2},
        BadCase{"unknown_escape", "[\"\\x41\"]", 2}, BadCase{"upper_case_escape", "[\"\\N\"]", 2},
        BadCase{"short_unicode", "[\"\\u12\"]", 2}, BadCase{"bad_hex", "[\"\\u12g4\"]", 2},
        BadCase{"lone_high_surrogate", "[\"a\\ud800\"]", 3},
        BadCase{"lone_high_before_text", "[\"\\ud800abcdef\"]", 2},
        BadCase{"lone_low_surrogate", "[\"\\udc00\"]", 2},
        BadCase{"two_high_surrogates", "[\"\\ud800\\ud800\"]", 2},
        BadCase{"reversed_pair", "[\"\\udc00\\ud800\"]", 2},
        BadCase{"high_before_letter_escape", "[\"\\ud800\\u0041\"]", 2},
        BadCase{"surrogate_after_pair", "[\"\\ud83d\\ude00\\ude00\"]", 14},
        BadCase{"lone_surrogate_in_key", "{\"\\uDFFF\":1}", 2},
        BadCase{"lone_surrogate_deep_in_key", "{\"a\":[{\"b\":{\"x\\uD8FF\":1}}]}", 14},
        BadCase{"continuation_alone", "[\"\x80\"]", 2}, BadCase{"byte_ff", "[\"\xff\"]", 2},
        BadCase{"latin1", "[\"caf\xe9\"]", 5}, BadCase{"overlong_2", "[\"\xc0\x80\"]", 2},
        BadCase{"overlong_slash", "[\"\xc1\xaf\"]", 2},
        BadCase{"overlong_3", "[\"\xe0\x80\xaf\"]", 2},
        BadCase{"overlong_4", "[\"\xf0\x80\x80\xaf\"]", 2},
        BadCase{"surrogate_in_utf8", "[\"\xed\xa0\x80\"]", 2},
        BadCase{"beyond_unicode", "[\"\xf4\x90\x80\x80\"]", 2},
        BadCase{"byte_f5", "[\"\xf5\x80\x80\x80\"]", 2},
        BadCase{"truncated_sequence", "[\"\xe2\x82\"]", 2},
        BadCase{"sequence_cut_by_the_end", "[\"\xf0\x9f", 2},
        BadCase{"bad_utf8_in_key", "{\"\xff\":1}", 2}, BadCase{"utf8_outside", "[\xc3\xa9]", 1}),
    bad_name);

std::optional<std::size_t> index_in(std::string_view text) {
    const std::optional<JsonProblem> problem = check_json(text, json_depth_max);
    EXPECT_TRUE(problem);
    return problem ? problem->index : std::nullopt;
}

TEST(CheckJson, tells_the_index_of_the_event_in_an_array) {
    EXPECT_EQ(index_in("[{\"a\":1},{\"a\":2},{\"a\":[1,2,x]}]"), 2U);
    EXPECT_EQ(index_in("[x]"), 0U);
}

TEST(CheckJson, tells_the_index_of_the_event_in_an_envelope) {
    EXPECT_EQ(index_in("{\"v\":[1,2],\"events\":[{},{\"a\":{\"b\":x}}]}"), 1U);
}

TEST(CheckJson, tells_no_index_outside_of_events) {
    EXPECT_EQ(index_in("{\"events\":[{},{}],\"v\":[1,2,x]}"), std::nullopt);
    EXPECT_EQ(index_in("{\"id\":x}"), std::nullopt);
    EXPECT_EQ(index_in("{\"events\":{\"a\":[1,x]}}"), std::nullopt);
    EXPECT_EQ(index_in("[1],"), std::nullopt);
}

TEST(CheckJson, keeps_to_the_depth_it_is_given) {
    EXPECT_FALSE(check_json("[[1]]", 2));
    EXPECT_TRUE(check_json("[[[1]]]", 2));
}

}  // namespace
}  // namespace fanfare
