#include <gtest/gtest.h>

#include <string>

#include "support/parsed.h"

namespace fanfare {
namespace {

using test::batch_type;
using test::cloudevent;
using test::Fields;
using test::Parsed;
using test::registry_v1;
using test::registry_v2;
using test::structured_type;

constexpr const char* json_type = "application/json";
constexpr const char* ndjson_type = "application/x-ndjson";

struct RefusedType {
    const char* name;
    Fields fields;
};
class ParseRequestOtherType : public testing::TestWithParam<RefusedType> {};

TEST_P(ParseRequestOtherType, is_refused_with_415) {
    const Parsed parsed(GetParam().fields, "{}");

    ASSERT_FALSE(parsed.is_taken());
    EXPECT_EQ(parsed.refusal().status, 415);
}

INSTANTIATE_TEST_SUITE_P(
    ParseRequest, ParseRequestOtherType,
    testing::Values(
        RefusedType{"plain", {{"Content-Type", "text/plain"}}},
        RefusedType{"form", {{"Content-Type", "application/x-www-form-urlencoded"}}},
        RefusedType{"v3", {{"Content-Type", "application/vnd.docker.distribution.events.v3+json"}}},
        RefusedType{"prefix", {{"Content-Type", "application/jsonx"}}},
        RefusedType{"second_field_is_json",
                    {{"Content-Type", "text/plain"}, {"Content-Type", "application/json"}}},
        RefusedType{"other_cloudevents_format",
                    {{"Content-Type", "application/cloudevents+avro"}, {"ce-specversion", "1.0"}}}),
    [](const auto& instance) { return instance.param.name; });

// Acceptance 9.
struct BadBody {
    const char* name;
    const char* type;
    std::string body;
    const char* detail;
};
class ParseRequestBadBody : public testing::TestWithParam<BadBody> {};

TEST_P(ParseRequestBadBody, is_refused_with_its_place) {
    const Parsed parsed(GetParam().type, GetParam().body);

    ASSERT_FALSE(parsed.is_taken());
    EXPECT_EQ(parsed.refusal().status, 400);
    EXPECT_EQ(parsed.refusal().code, "BODY_INVALID");
    EXPECT_EQ(parsed.refusal().detail, GetParam().detail) << parsed.refusal().message;
}

INSTANTIATE_TEST_SUITE_P(
    Json, ParseRequestBadBody,
    testing::Values(
        BadBody{"empty", json_type, "", R"({"offset":0})"},
        BadBody{"empty_v1", registry_v1, "", R"({"offset":0})"},
        BadBody{"white_space", json_type, "  \n", R"({"offset":3})"},
        BadBody{"truncated", registry_v1, R"({"events":[{"id":"1"},{"id")",
                R"({"offset":27,"index":1})"},
        BadBody{"trailing", json_type, "{} {}", R"({"offset":3})"},
        BadBody{"byte_order_mark", json_type, "\xef\xbb\xbf{}", R"({"offset":0})"},
        BadBody{"bad_utf8", json_type, "[{},{\"a\":\"\xff\"}]", R"({"offset":10,"index":1})"},
        BadBody{"lone_surrogate", json_type, R"([{"a":"\ud800"}])", R"({"offset":7,"index":0})"},
        BadBody{"lone_surrogate_in_key", json_type, R"({"\udc00":1})", R"({"offset":2})"},
        BadBody{"not_a_number", json_type, R"({"a":NaN})", R"({"offset":5})"},
        BadBody{"too_deep", json_type, std::string(513, '['), R"({"offset":512,"index":0})"},
        BadBody{"nul", json_type, std::string("{}\0", 3), R"({"offset":2})"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Shape, ParseRequestBadBody,
    testing::Values(
        BadBody{"scalar", json_type, "5", R"({"offset":0})"},
        BadBody{"string", json_type, "\"{}\"", R"({"offset":0})"},
        BadBody{"null_event", json_type, "[{},null]", R"({"offset":4,"index":1})"},
        BadBody{"array_under_registry_type", registry_v1, "[{}]", R"({"offset":0})"},
        BadBody{"event_under_registry_type", registry_v1, R"({"id":"1"})", R"({"offset":0})"},
        BadBody{"events_is_null", registry_v2, R"({"events":null})", R"({"offset":10})"},
        BadBody{"scalar_in_envelope", registry_v2, R"({"events":[{},7]})",
                R"({"offset":14,"index":1})"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(Lines, ParseRequestBadBody,
                         testing::Values(BadBody{"bad_line", ndjson_type, "{}\n\n{\"a\":x}\n{}",
                                                 R"({"offset":9,"line":3,"index":1})"},
                                         BadBody{"array", ndjson_type, "{}\r\n [1]",
                                                 R"({"offset":5,"line":2,"index":1})"},
                                         BadBody{"two_on_a_line", ndjson_type, "{} {}",
                                                 R"({"offset":3,"line":1,"index":0})"},
                                         BadBody{"event_over_two_lines", ndjson_type, "{\n}",
                                                 R"({"offset":1,"line":1,"index":0})"}),
                         [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    CloudEvents, ParseRequestBadBody,
    testing::Values(
        BadBody{"empty_object", structured_type, "{}", R"({"offset":0,"index":0})"},
        BadBody{"array", structured_type, "[]", R"({"offset":0,"index":0})"},
        BadBody{"no_id", structured_type, R"({"specversion":"1.0","source":"/s","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{"empty_source", structured_type,
                R"({"specversion":"1.0","id":"1","source":"","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{"number_as_id", structured_type,
                R"({"specversion":"1.0","id":1,"source":"/s","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{"other_version", structured_type,
                R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{
            "data_twice", structured_type,
            R"({"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":""})",
            R"({"offset":0,"index":0})"},
        BadBody{"base64_of_no_string", structured_type,
                R"({"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":5})",
                R"({"offset":0,"index":0})"},
        BadBody{"object_as_batch", batch_type, cloudevent, R"({"offset":0})"},
        BadBody{"second_of_batch", batch_type, "[" + std::string(cloudevent) + ", {}]",
                R"({"offset":58,"index":1})"},
        BadBody{"no_json", structured_type, R"({"specversion")", R"({"offset":14,"index":0})"}),
    [](const auto& instance) { return instance.param.name; });

TEST(ParseRequest, says_what_is_wrong_and_where) {
    const Parsed parsed("application/json", "[{},{\"a\":1,}]");

    EXPECT_EQ(parsed.refusal().message,
              "not valid JSON: a key in double quotes was expected (byte 11, event 1)");
}

/// A CloudEvent in binary form, with as many arrays inside each other as data.
Parsed binary_cloudevent(std::size_t depth) {
    return {Fields{{"Content-Type", json_type},
                   {"ce-specversion", "1.0"},
                   {"ce-id", "1"},
                   {"ce-source", "/s"},
                   {"ce-type", "t"}},
            std::string(depth, '[') + std::string(depth, ']')};
}

TEST(ParseRequest, counts_the_level_that_holds_the_data_of_a_binary_cloudevent) {
    EXPECT_EQ(binary_cloudevent(511).status(), 202);

    const Parsed deeper = binary_cloudevent(512);

    ASSERT_FALSE(deeper.is_taken());
    EXPECT_EQ(deeper.refusal().message,
              "not valid JSON: containers are nested too deeply (byte 511, event 0)");
    EXPECT_EQ(deeper.refusal().detail, R"({"offset":511,"index":0})");
}

TEST(ParseRequest, refuses_too_many_events_with_413) {
    const Fields fields = {{"Content-Type", "application/json"}};

    EXPECT_EQ(Parsed(fields, "[{},{},{}]", 3).status(), 202);
    EXPECT_EQ(Parsed(fields, "[{},{},{},{}]", 3).status(), 413);
    EXPECT_EQ(Parsed({{"Content-Type", ndjson_type}}, "{}\n{}\n{}\n{}\n", 3).status(), 413);
}

TEST(ParseRequest, refuses_broken_json_before_it_counts_events) {
    EXPECT_EQ(Parsed({{"Content-Type", "application/json"}}, "[{},{},{},x]", 1).status(), 400);
}

}  // namespace
}  // namespace fanfare
