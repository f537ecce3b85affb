#include "server/parse_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/captures.h"
#include "support/manual_clock.h"

namespace fanfare {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr const char* v1 = "application/vnd.docker.distribution.events.v1+json";
constexpr const char* v2 = "application/vnd.docker.distribution.events.v2+json";

/// A request and what came of it.
class Parsed {
  public:
    Parsed(Fields fields, std::string text, std::size_t events_max = 10000)
        : fields_(std::move(fields)), body(std::move(text)) {
        for (const auto& [name, value] : fields_) head_.fields.emplace_back(name, value);
        const ParseOptions options{events_max, ids_};
        result_ = parse_request(head_, body, options);
    }
    Parsed(const std::string& content_type, std::string text)
        : Parsed(Fields{{"Content-Type", content_type}}, std::move(text)) {}

    bool is_taken() const { return std::holds_alternative<ParsedRequest>(result_); }
    const ParsedRequest& request() const { return std::get<ParsedRequest>(result_); }
    const std::vector<ParsedEvent>& events() const { return request().events; }
    const Refusal& refusal() const { return std::get<Refusal>(result_); }
    int status() const { return is_taken() ? 202 : refusal().status; }

  private:
    test::ManualClock clock_;
    IdGenerator ids_{clock_, [] { return std::uint64_t{0}; }};
    Fields fields_;
    RequestHead head_;
    std::variant<ParsedRequest, Refusal> result_;

  public:
    std::string body;  // the views of the result point into it
};

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
    testing::Values(TypeCase{"v1", {{"Content-Type", v1}}, MediaType::registry_v1},
                    TypeCase{"v2", {{"Content-Type", v2}}, MediaType::registry_v2},
                    TypeCase{"json", {{"Content-Type", "application/json"}}, MediaType::json},
                    TypeCase{"text_json", {{"Content-Type", "text/json"}}, MediaType::json},
                    TypeCase{"none", {}, MediaType::json},
                    TypeCase{"empty", {{"Content-Type", ""}}, MediaType::json},
                    TypeCase{"parameters",
                             {{"content-type", std::string(v1) + " ; charset=utf-8"}},
                             MediaType::registry_v1},
                    TypeCase{
                        "other_case", {{"CONTENT-TYPE", "Application/JSON;a=b"}}, MediaType::json},
                    TypeCase{"two_fields",
                             {{"Content-Type", v2}, {"Content-Type", "text/plain"}},
                             MediaType::registry_v2}),
    [](const auto& instance) { return instance.param.name; });

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
    EXPECT_EQ(Parsed(v1, "{}").events().size(), 0U);
    EXPECT_EQ(Parsed(v2, "{}").events().size(), 0U);
}

// Acceptance 6.
TEST(ParseRequest, takes_envelopes_of_any_size_in_order) {
    for (const std::size_t size : {0U, 1U, 3U, 1000U}) {
        std::string text = "{\"events\":[";
        for (std::size_t i = 0; i < size; ++i) {
            text += (i > 0 ? ",{\"id\":\"" : "{\"id\":\"") + std::to_string(i) + "\"}";
        }
        const Parsed parsed(v1, text + "]}");

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

    const Parsed parsed(v2, "{\"events\":[" + event + "]}");

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

    const Parsed parsed(v2, "{\"events\":[" + event + "]}");

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

constexpr const char* json = "application/json";
constexpr const char* lines = "application/x-ndjson";
constexpr const char* structured = "application/cloudevents+json";
constexpr const char* batch = "application/cloudevents-batch+json";
constexpr const char* cloudevent = R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})";

INSTANTIATE_TEST_SUITE_P(
    Json, ParseRequestBadBody,
    testing::Values(
        BadBody{"empty", json, "", R"({"offset":0})"},
        BadBody{"empty_v1", v1, "", R"({"offset":0})"},
        BadBody{"white_space", json, "  \n", R"({"offset":3})"},
        BadBody{"truncated", v1, R"({"events":[{"id":"1"},{"id")", R"({"offset":27,"index":1})"},
        BadBody{"trailing", json, "{} {}", R"({"offset":3})"},
        BadBody{"byte_order_mark", json, "\xef\xbb\xbf{}", R"({"offset":0})"},
        BadBody{"bad_utf8", json, "[{},{\"a\":\"\xff\"}]", R"({"offset":10,"index":1})"},
        BadBody{"lone_surrogate", json, R"([{"a":"\ud800"}])", R"({"offset":7,"index":0})"},
        BadBody{"lone_surrogate_in_key", json, R"({"\udc00":1})", R"({"offset":2})"},
        BadBody{"not_a_number", json, R"({"a":NaN})", R"({"offset":5})"},
        BadBody{"too_deep", json, std::string(513, '['), R"({"offset":512,"index":0})"},
        BadBody{"nul", json, std::string("{}\0", 3), R"({"offset":2})"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Shape, ParseRequestBadBody,
    testing::Values(BadBody{"scalar", json, "5", R"({"offset":0})"},
                    BadBody{"string", json, "\"{}\"", R"({"offset":0})"},
                    BadBody{"null_event", json, "[{},null]", R"({"offset":4,"index":1})"},
                    BadBody{"array_under_registry_type", v1, "[{}]", R"({"offset":0})"},
                    BadBody{"event_under_registry_type", v1, R"({"id":"1"})", R"({"offset":0})"},
                    BadBody{"events_is_null", v2, R"({"events":null})", R"({"offset":10})"},
                    BadBody{"scalar_in_envelope", v2, R"({"events":[{},7]})",
                            R"({"offset":14,"index":1})"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Lines, ParseRequestBadBody,
    testing::Values(
        BadBody{"bad_line", lines, "{}\n\n{\"a\":x}\n{}", R"({"offset":9,"line":3,"index":1})"},
        BadBody{"array", lines, "{}\r\n [1]", R"({"offset":5,"line":2,"index":1})"},
        BadBody{"two_on_a_line", lines, "{} {}", R"({"offset":3,"line":1,"index":0})"},
        BadBody{"event_over_two_lines", lines, "{\n}", R"({"offset":1,"line":1,"index":0})"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    CloudEvents, ParseRequestBadBody,
    testing::Values(
        BadBody{"empty_object", structured, "{}", R"({"offset":0,"index":0})"},
        BadBody{"array", structured, "[]", R"({"offset":0,"index":0})"},
        BadBody{"no_id", structured, R"({"specversion":"1.0","source":"/s","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{"empty_source", structured,
                R"({"specversion":"1.0","id":"1","source":"","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{"number_as_id", structured,
                R"({"specversion":"1.0","id":1,"source":"/s","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{"other_version", structured,
                R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})",
                R"({"offset":0,"index":0})"},
        BadBody{
            "data_twice", structured,
            R"({"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":""})",
            R"({"offset":0,"index":0})"},
        BadBody{"object_as_batch", batch, cloudevent, R"({"offset":0})"},
        BadBody{"second_of_batch", batch, "[" + std::string(cloudevent) + ", {}]",
                R"({"offset":58,"index":1})"},
        BadBody{"no_json", structured, R"({"specversion")", R"({"offset":14,"index":0})"}),
    [](const auto& instance) { return instance.param.name; });

TEST(ParseRequest, says_what_is_wrong_and_where) {
    const Parsed parsed("application/json", "[{},{\"a\":1,}]");

    EXPECT_EQ(parsed.refusal().message,
              "not valid JSON: a key in double quotes was expected (byte 11, event 1)");
}

TEST(ParseRequest, refuses_too_many_events_with_413) {
    const Fields fields = {{"Content-Type", "application/json"}};

    EXPECT_EQ(Parsed(fields, "[{},{},{}]", 3).status(), 202);
    EXPECT_EQ(Parsed(fields, "[{},{},{},{}]", 3).status(), 413);
    EXPECT_EQ(Parsed({{"Content-Type", lines}}, "{}\n{}\n{}\n{}\n", 3).status(), 413);
}

TEST(ParseRequest, refuses_broken_json_before_it_counts_events) {
    EXPECT_EQ(Parsed({{"Content-Type", "application/json"}}, "[{},{},{},x]", 1).status(), 400);
}

TEST(EventId, is_the_events_own) {
    const Parsed parsed({{"webhook-id", "w"}}, R"({"id":"own"})");

    EXPECT_EQ(parsed.events().at(0).fields.id, "own");
}

TEST(EventId, is_the_requests_for_a_single_event_without_one) {
    EXPECT_EQ(Parsed({{"Webhook-Id", "w"}}, "{}").events().at(0).fields.id, "w");
    EXPECT_EQ(Parsed({{"Idempotency-Key", "k"}}, "{}").events().at(0).fields.id, "k");
    EXPECT_EQ(Parsed({{"idempotency-key", "k"}, {"webhook-id", "w"}}, "[{}]").events()[0].fields.id,
              "w");
    EXPECT_EQ(Parsed({{"webhook-id", "w"}}, R"({"id":""})").events().at(0).fields.id, "w");
    EXPECT_EQ(Parsed({{"webhook-id", "w"}}, R"({"id":5})").events().at(0).fields.id, "w");
}

TEST(EventId, is_generated_otherwise) {
    const Parsed parsed({{"webhook-id", "w"}}, R"([{},{"id":"own"},{}])");

    ASSERT_EQ(parsed.events().size(), 3U);
    EXPECT_EQ(parsed.events()[0].fields.id.substr(0, 4), "evt_");
    EXPECT_EQ(parsed.events()[1].fields.id, "own");
    EXPECT_LT(parsed.events()[0].fields.id, parsed.events()[2].fields.id);
}

TEST(EventId, must_be_utf8_in_a_header) {
    const Parsed parsed({{"webhook-id", "caf\xe9"}}, "{}");

    ASSERT_FALSE(parsed.is_taken());
    EXPECT_EQ(parsed.refusal().status, 400);
    EXPECT_EQ(parsed.refusal().code, "HEADER_INVALID");
}

TEST(EventId, of_a_cloudevent_is_source_and_id) {
    const Parsed one(structured, cloudevent);
    const Parsed two(batch, "[" + std::string(cloudevent) + "," + cloudevent + "]");

    EXPECT_EQ(one.events().at(0).fields.id, "/s 1");
    EXPECT_EQ(one.events().at(0).payload, cloudevent);
    EXPECT_EQ(one.request().type, MediaType::cloudevents);
    EXPECT_EQ(two.events().size(), 2U);
    EXPECT_EQ(Parsed(batch, "[]").events().size(), 0U);
}

TEST(Trace, is_copied_to_each_event) {
    const Parsed parsed({{"Traceparent", "00-a"}, {"tracestate", "x=1"}}, "[{},{}]");

    for (const ParsedEvent& event : parsed.events()) {
        EXPECT_EQ(event.fields.traceparent, "00-a");
        EXPECT_EQ(event.fields.tracestate, "x=1");
    }
}

TEST(Trace, has_its_state_joined) {
    const Parsed parsed({{"traceparent", "p"}, {"tracestate", "x=1"}, {"Tracestate", "y=2"}}, "{}");

    EXPECT_EQ(parsed.events().at(0).fields.tracestate, "x=1,y=2");
}

TEST(Trace, is_dropped_when_its_parent_is_missing_or_repeated) {
    const Parsed missing({{"tracestate", "x=1"}}, "{}");
    const Parsed repeated({{"traceparent", "a"}, {"traceparent", "b"}}, "{}");

    EXPECT_EQ(missing.events().at(0).fields.tracestate, "");
    EXPECT_EQ(repeated.events().at(0).fields.traceparent, "");
}

TEST(Captures, are_taken_with_their_payload_byte_for_byte) {
    const auto files = test::data_files("registry-captures", ".http");
    ASSERT_GE(files.size(), 70U);

    for (const auto& file : files) {
        const std::string text = test::read_file(file);
        RequestParser parser({});
        for (std::size_t at = 0; at < text.size() && !parser.is_done();) {
            const std::size_t taken = parser.feed(std::string_view(text).substr(at));
            ASSERT_FALSE(parser.problem()) << file << ": " << parser.problem()->message;
            at += taken;
        }
        ASSERT_TRUE(parser.is_done()) << file;
        std::string body = parser.take_body();
        test::ManualClock clock;
        IdGenerator ids(clock);
        const ParseOptions options{10000, ids};
        const auto result = parse_request(parser.head(), body, options);

        const auto* const request = std::get_if<ParsedRequest>(&result);
        ASSERT_NE(request, nullptr) << file << ": " << std::get<Refusal>(result).message;
        ASSERT_EQ(request->events.size(), 1U) << file;
        const ParsedEvent& event = request->events.front();
        const nlohmann::json expected = nlohmann::json::parse(body).at("events").at(0);
        EXPECT_EQ(nlohmann::json::parse(event.payload), expected) << file;
        EXPECT_NE(text.find(event.payload), std::string::npos) << file;
        EXPECT_EQ(event.fields.id, expected.at("id")) << file;
        EXPECT_EQ(event.fields.action, expected.at("action")) << file;
        EXPECT_EQ(event.fields.target_media_type, expected.at("target").value("mediaType", ""));
    }
}

TEST(Captures, of_envelopes_are_taken_whole) {
    const auto files = test::data_files("envelope-samples", ".json");
    ASSERT_GE(files.size(), 7U);

    for (const auto& file : files) {
        const std::string text = test::read_file(file);
        const Parsed parsed(v2, text);

        ASSERT_TRUE(parsed.is_taken()) << file << ": " << parsed.refusal().message;
        const nlohmann::json whole = nlohmann::json::parse(text);
        const nlohmann::json expected = whole.value("events", nlohmann::json::array());
        ASSERT_EQ(parsed.events().size(), expected.size()) << file;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ(nlohmann::json::parse(parsed.events()[i].payload), expected[i]) << file;
            EXPECT_NE(text.find(parsed.events()[i].payload), std::string::npos) << file;
        }
    }
}

}  // namespace
}  // namespace fanfare
