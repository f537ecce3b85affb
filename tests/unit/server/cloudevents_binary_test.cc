#include "server/cloudevents_binary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/manual_clock.h"
#include "support/padded_text.h"

namespace fanfare {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The attributes every event needs, with `more` behind them.
Fields with(const Fields& more) {
    Fields fields = {
        {"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/s"}, {"ce-type", "t"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

std::variant<StructuredCloudEvent, Refusal> convert(const Fields& fields, std::string_view body) {
    RequestHead head;
    for (const auto& [name, value] : fields) head.fields.emplace_back(name, value);
    const test::PaddedText padded(body);
    return structured_cloudevent(head, padded.view());
}

std::string text_of(const Fields& fields, std::string_view body) {
    const auto result = convert(fields, body);
    if (const auto* const refusal = std::get_if<Refusal>(&result)) return refusal->message;
    return std::get<StructuredCloudEvent>(result).text;
}

TEST(StructuredCloudEvent, holds_json_data_as_it_came) {
    const std::string text =
        text_of(with({{"Content-Type", "application/json"}}), R"({ "n":1.10, "big":1E400 })");

    EXPECT_EQ(text, R"({"id":"1","source":"/s","specversion":"1.0","type":"t",)"
                    R"("datacontenttype":"application/json","data":{ "n":1.10, "big":1E400 }})");
}

TEST(StructuredCloudEvent, knows_other_json_types) {
    const auto json = nlohmann::json::parse(
        text_of(with({{"Content-Type", "application/vnd.x+JSON; charset=utf-8"}}), "[1]"));

    EXPECT_EQ(json.at("data"), nlohmann::json::array({1}));
    EXPECT_EQ(json.at("datacontenttype"), "application/vnd.x+JSON; charset=utf-8");
}

TEST(StructuredCloudEvent, takes_data_without_a_type_for_json) {
    const auto json = nlohmann::json::parse(text_of(with({}), "\"x\""));

    EXPECT_EQ(json.at("data"), "x");
    EXPECT_FALSE(json.contains("datacontenttype"));
}

TEST(StructuredCloudEvent, holds_text_as_a_string) {
    const auto json = nlohmann::json::parse(
        text_of(with({{"Content-Type", "text/plain"}}), "a \"b\"\n\xe2\x82\xac"));

    EXPECT_EQ(json.at("data"), "a \"b\"\n\xe2\x82\xac");
}

TEST(StructuredCloudEvent, holds_other_data_in_base64) {
    for (const char* const type :
         {"application/octet-stream", "image/png", "text/plain; charset=iso-8859-1"}) {
        const auto json = nlohmann::json::parse(
            text_of(with({{"Content-Type", type}}), std::string_view("\0\xff\x10", 3)));

        EXPECT_EQ(json.at("data_base64"), "AP8Q") << type;
        EXPECT_FALSE(json.contains("data"));
    }
}

TEST(StructuredCloudEvent, holds_text_that_is_not_utf8_in_base64) {
    const auto json =
        nlohmann::json::parse(text_of(with({{"Content-Type", "text/plain"}}), "caf\xe9"));

    EXPECT_EQ(json.at("data_base64"), "Y2Fm6Q==");
}

TEST(StructuredCloudEvent, has_no_data_without_a_body) {
    const auto json =
        nlohmann::json::parse(text_of(with({{"Content-Type", "application/json"}}), ""));

    EXPECT_FALSE(json.contains("data"));
    EXPECT_FALSE(json.contains("data_base64"));
}

TEST(StructuredCloudEvent, holds_all_attributes_in_lower_case) {
    const auto json = nlohmann::json::parse(
        text_of(with({{"CE-Subject", "app"}, {"Ce-Ext1", "x"}, {"X-Other", "no"}}), ""));

    EXPECT_EQ(json.at("subject"), "app");
    EXPECT_EQ(json.at("ext1"), "x");
    EXPECT_EQ(json.size(), 6U);
}

TEST(StructuredCloudEvent, is_the_same_in_any_order_of_its_fields_but_for_the_trace) {
    const Fields one = {{"ce-specversion", "1.0"}, {"ce-id", "1"},   {"ce-source", "/s"},
                        {"ce-traceparent", "00"},  {"ce-type", "t"}, {"ce-tracestate", "a=b"}};
    const Fields other = {{"ce-type", "t"},
                          {"ce-source", "/s"},
                          {"ce-id", "1"},
                          {"ce-specversion", "1.0"},
                          {"ce-traceparent", "01"}};
    const auto identity = [](const Fields& fields) {
        const auto event = std::get<StructuredCloudEvent>(convert(fields, "1"));
        return event.text.substr(0, event.identity_bytes);
    };

    EXPECT_EQ(identity(one), identity(other));
    EXPECT_EQ(identity(one), R"({"id":"1","source":"/s","specversion":"1.0","type":"t","data":1)");
    EXPECT_EQ(text_of(one, "1"), identity(one) + R"(,"traceparent":"00","tracestate":"a=b"})");
}

struct ValueCase {
    const char* sent;
    const char* meant;
};
class AttributeValue : public testing::TestWithParam<ValueCase> {};

TEST_P(AttributeValue, is_decoded_once) {
    const auto json = nlohmann::json::parse(text_of(with({{"ce-x", GetParam().sent}}), ""));

    EXPECT_EQ(json.at("x"), GetParam().meant);
}

INSTANTIATE_TEST_SUITE_P(
    StructuredCloudEvent, AttributeValue,
    testing::Values(ValueCase{"Euro%20%E2%82%AC%20%F0%9F%98%80",
                              "Euro \xe2\x82\xac \xf0\x9f\x98\x80"},
                    ValueCase{"%2525", "%25"}, ValueCase{"%e2%82%ac", "\xe2\x82\xac"},
                    ValueCase{"\"quoted\"", "quoted"}, ValueCase{"\"a\\\"b\\\\\"", "a\"b\\"},
                    ValueCase{"\"%22\"", "\""}, ValueCase{"a+b", "a+b"}, ValueCase{"\"", "\""},
                    ValueCase{"caf\xc3\xa9", "caf\xc3\xa9"}, ValueCase{"a%0Ab", "a\nb"}));

struct RefusedCase {
    const char* name;
    Fields fields;
    const char* message;
};
class RefusedBinary : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedBinary, names_the_field) {
    const auto result = convert(GetParam().fields, "");

    const auto* const refusal = std::get_if<Refusal>(&result);
    ASSERT_NE(refusal, nullptr) << std::get<StructuredCloudEvent>(result).text;
    EXPECT_EQ(refusal->status, 400);
    EXPECT_EQ(refusal->code, "HEADER_INVALID");
    EXPECT_EQ(refusal->message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    StructuredCloudEvent, RefusedBinary,
    testing::Values(
        RefusedCase{"no_id",
                    {{"ce-specversion", "1.0"}, {"ce-source", "/s"}, {"ce-type", "t"}},
                    "`ce-id` is required"},
        RefusedCase{"no_source",
                    {{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-type", "t"}},
                    "`ce-source` is required"},
        RefusedCase{
            "empty_type",
            {{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/s"}, {"ce-type", ""}},
            "`ce-type` is required"},
        RefusedCase{"other_version", {{"ce-specversion", "0.3"}}, "`ce-specversion` must be 1.0"},
        RefusedCase{"repeated", with({{"CE-ID", "2"}}), "`ce-id` is given twice"},
        RefusedCase{"overlong_utf8", with({{"ce-x", "%C0%A0"}}), "`ce-x` is not valid UTF-8"},
        RefusedCase{"raw_latin1", with({{"ce-x", "caf\xe9"}}), "`ce-x` is not valid UTF-8"},
        RefusedCase{"bad_escape", with({{"ce-x", "100%"}}),
                    "`ce-x` holds a `%` that begins no escape"},
        RefusedCase{"bad_hex", with({{"ce-x", "%zz"}}), "`ce-x` holds a `%` that begins no escape"},
        RefusedCase{"bad_name", with({{"ce-a_b", "x"}}), "`ce-a_b` is no name of an attribute"},
        RefusedCase{"no_name", with({{"ce-", "x"}}), "`ce-` is no name of an attribute"},
        RefusedCase{"data", with({{"ce-data", "1"}}), "`ce-data` is not allowed: data is the body"},
        RefusedCase{"content_type", with({{"ce-datacontenttype", "text/plain"}}),
                    "`ce-datacontenttype` is not allowed: Content-Type says it"}),
    [](const auto& instance) { return instance.param.name; });

TEST(StructuredCloudEvent, says_where_its_data_is_no_json) {
    const auto result = convert(with({{"Content-Type", "application/json"}}), R"(1,"id":"2")");

    const auto* const refusal = std::get_if<Refusal>(&result);
    ASSERT_NE(refusal, nullptr);
    EXPECT_EQ(refusal->code, "BODY_INVALID");
    EXPECT_EQ(refusal->detail, R"({"offset":1,"index":0})");
}

TEST(StructuredCloudEvent, becomes_an_event) {
    RequestHead head;
    const Fields fields = with({{"Content-Type", "text/plain"}, {"ce-action", "push"}});
    for (const auto& [name, value] : fields) head.fields.emplace_back(name, value);
    std::string body = "hello";
    const test::ManualClock clock;
    IdGenerator ids(clock);
    const ParseOptions options{1, ids};

    const auto result = parse_request(head, body, options);

    const auto& request = std::get<ParsedRequest>(result);
    ASSERT_EQ(request.events.size(), 1U);
    EXPECT_EQ(request.type, MediaType::cloudevents);
    EXPECT_EQ(request.events[0].fields.id, "/s 1");
    EXPECT_EQ(request.events[0].fields.action, "push");
    EXPECT_EQ(nlohmann::json::parse(request.events[0].payload).at("data"), "hello");
}

}  // namespace
}  // namespace fanfare
