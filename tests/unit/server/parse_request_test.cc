#include <gtest/gtest.h>

#include <string>

#include "support/parsed.h"

namespace fanfare {
namespace {

using test::Fields;
using test::Parsed;
using test::registry_v1;
using test::registry_v2;

struct TypeCase {
    const char* name;
    Fields fields;
    MediaType type;
};
class ParseRequestType : public testing::TestWithParam<TypeCase> {};

// Acceptance 5.
TEST_P(ParseRequestType, is_taken) {
    const Parsed parsed(GetParam().fields, R"({"events":[{"id":"a"},{"id":"b"}]})");

    ASSERT_TRUE(parsed.is_taken()) << parsed.refusal().message;
    EXPECT_EQ(parsed.request().type, GetParam().type);
    ASSERT_EQ(parsed.events().size(), 2U);
    EXPECT_EQ(parsed.events()[0].payload, R"({"id":"a"})");
    EXPECT_EQ(parsed.events()[1].fields.id, "b");
}

INSTANTIATE_TEST_SUITE_P(
    Envelope, ParseRequestType,
    testing::Values(TypeCase{"v1", {{"Content-Type", registry_v1}}, MediaType::registry_v1},
                    TypeCase{"v2", {{"Content-Type", registry_v2}}, MediaType::registry_v2},
                    TypeCase{"json", {{"Content-Type", "application/json"}}, MediaType::json},
                    TypeCase{"text_json", {{"Content-Type", "text/json"}}, MediaType::json},
                    TypeCase{"none", {}, MediaType::json},
                    TypeCase{"empty", {{"Content-Type", ""}}, MediaType::json},
                    TypeCase{"parameters",
                             {{"content-type", std::string(registry_v1) + " ; charset=utf-8"}},
                             MediaType::registry_v1},
                    TypeCase{
                        "other_case", {{"CONTENT-TYPE", "Application/JSON;a=b"}}, MediaType::json},
                    TypeCase{"two_fields",
                             {{"Content-Type", registry_v2}, {"Content-Type", "text/plain"}},
                             MediaType::registry_v2}),
    [](const auto& instance) { return instance.param.name; });

TEST(ParseRequest, takes_an_array_as_a_list_of_events) {
    const Parsed parsed("application/json", R"( [{"id":"a"} , {"id":"b"}] )");

    ASSERT_TRUE(parsed.is_taken());
    ASSERT_EQ(parsed.events().size(), 2U);
    EXPECT_EQ(parsed.events()[1].payload, R"({"id":"b"})");
}

TEST(ParseRequest, takes_any_other_object_as_one_event) {
    const Parsed parsed("application/json", R"({"id":"a","events":"none"})");

    ASSERT_TRUE(parsed.is_taken());
    ASSERT_EQ(parsed.events().size(), 1U);
    EXPECT_EQ(parsed.events()[0].payload, R"({"id":"a","events":"none"})");
}

TEST(ParseRequest, takes_an_empty_object_as_one_event_unless_it_is_a_registry_envelope) {
    EXPECT_EQ(Parsed("application/json", "{}").events().size(), 1U);
    EXPECT_EQ(Parsed(registry_v1, "{}").events().size(), 0U);
    EXPECT_EQ(Parsed(registry_v2, "{}").events().size(), 0U);
}

// Acceptance 6.
TEST(ParseRequest, takes_envelopes_of_any_size_in_order) {
    for (const std::size_t size : {0U, 1U, 3U, 1000U}) {
        std::string text = "{\"events\":[";
        for (std::size_t i = 0; i < size; ++i) {
            text += (i > 0 ? ",{\"id\":\"" : "{\"id\":\"") + std::to_string(i) + "\"}";
        }
        const Parsed parsed(registry_v1, text + "]}");

        ASSERT_TRUE(parsed.is_taken());
        ASSERT_EQ(parsed.events().size(), size);
        for (std::size_t i = 0; i < size; ++i) {
            ASSERT_EQ(parsed.events()[i].fields.id, std::to_string(i));
        }
    }
}

// Acceptance 7.
TEST(ParseRequest, takes_deletes_with_empty_fields_unchanged) {
    const std::string event =
        R"({"id":"1","action":"delete","target":{"mediaType":"","digest":"","size":0,"tag":"v1"}})";

    const Parsed parsed(registry_v2, "{\"events\":[" + event + "]}");

    ASSERT_TRUE(parsed.is_taken());
    EXPECT_EQ(parsed.events().at(0).payload, event);
    EXPECT_EQ(parsed.events().at(0).fields.action, "delete");
    EXPECT_EQ(parsed.events().at(0).fields.target_media_type, "");
}

// Acceptance 8.
TEST(ParseRequest, keeps_unknown_fields_and_numbers_digit_for_digit) {
    const std::string event =
        R"({"id":"1","target":{"artifactType":"x","data":"aGk=","size":9007199254740993},)"
        R"("n":[123456789012345678901234567890,1.10,1E400,-0],"x":{"y":"\u003c\u2028"}})";

    const Parsed parsed(registry_v2, "{\"events\":[" + event + "]}");

    ASSERT_TRUE(parsed.is_taken());
    EXPECT_EQ(parsed.events().at(0).payload, event);
}

TEST(ParseRequest, adds_up_the_payload_bytes) {
    const Parsed parsed("application/json", R"([{"a":1},  {}])");

    EXPECT_EQ(parsed.request().payload_bytes, 9U);
}

TEST(ParseRequest, takes_lines) {
    const Parsed parsed("application/x-ndjson",
                        "{\"id\":\"a\"}\n\n  \r\n{\"id\":\"b\"}\r\n \t{\"events\":[1]}\n{}");

    ASSERT_TRUE(parsed.is_taken()) << parsed.refusal().message;
    ASSERT_EQ(parsed.events().size(), 4U);
    EXPECT_EQ(parsed.events()[1].payload, "{\"id\":\"b\"}");
    EXPECT_EQ(parsed.events()[2].payload, "{\"events\":[1]}");
    EXPECT_EQ(parsed.request().type, MediaType::json);
}

TEST(ParseRequest, finds_no_events_in_empty_lines) {
    EXPECT_EQ(Parsed("application/x-ndjson", "").events().size(), 0U);
    EXPECT_EQ(Parsed("application/x-ndjson", "\n\r\n \n").events().size(), 0U);
}

TEST(ParseRequest, needs_no_capacity_behind_the_body) {
    std::string body = R"([{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}])";
    body.shrink_to_fit();

    const Parsed parsed("application/json", std::move(body));

    EXPECT_TRUE(parsed.is_taken());
}

}  // namespace
}  // namespace fanfare
