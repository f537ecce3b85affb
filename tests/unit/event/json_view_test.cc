#include "event/json_view.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/padded_text.h"

namespace fanfare {
namespace {

using test::PaddedText;

/// What visit_events made of a text.
struct Visited {
    explicit Visited(std::string_view json, JsonLayout layout) : text(json) {
        const auto visit = [this](const EventView& event) {
            events.push_back(event);
            return events.size() < stop_after;
        };
        problem = visit_events(text.view(), layout, kept, visit);
    }

    static constexpr std::size_t stop_after = 1000;

    PaddedText text;
    KeptTexts kept;
    std::vector<EventView> events;
    std::optional<JsonProblem> problem;
};

TEST(VisitEvents, slices_an_envelope_byte_for_byte) {
    const Visited visited("{\"events\":[ {\"id\":\"1\", \"x\" : [1,{}] } ,\n{}  ]}",
                          JsonLayout::envelope);

    ASSERT_EQ(visited.events.size(), 2U);
    EXPECT_EQ(visited.events[0].payload, "{\"id\":\"1\", \"x\" : [1,{}] }");
    EXPECT_EQ(visited.events[1].payload, "{}");
    EXPECT_FALSE(visited.problem);
}

TEST(VisitEvents, visits_nothing_of_a_text_that_is_no_json) {
    const Visited visited(R"([{"id":"1"},{"id":2,}])", JsonLayout::list);

    ASSERT_TRUE(visited.problem);
    EXPECT_TRUE(visited.problem->is_syntax);
    EXPECT_EQ(visited.problem->index, 1U);
    EXPECT_TRUE(visited.events.empty());
}

TEST(VisitEvents, tells_json_of_another_form_from_what_is_no_json) {
    const Visited visited(R"([{"id":"1"},7])", JsonLayout::list);

    ASSERT_TRUE(visited.problem);
    EXPECT_FALSE(visited.problem->is_syntax);
    EXPECT_EQ(visited.events.size(), 1U);
}

TEST(VisitEvents, takes_numbers_of_any_size) {
    const Visited visited(R"({"n":1e999,"m":123456789012345678901234567890, "id" : "a" })",
                          JsonLayout::single);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].id.string(), "a");
}

TEST(VisitEvents, reads_id_action_and_media_type_of_the_target) {
    const Visited visited(
        R"({"id":"7","action":"push","target":{"size":1,"mediaType":"a/b","x":"c/d"}})",
        JsonLayout::single);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].id.string(), "7");
    EXPECT_EQ(visited.events[0].action.string(), "push");
    EXPECT_EQ(visited.events[0].target_media_type.string(), "a/b");
}

TEST(VisitEvents, reads_the_attributes_of_a_cloudevent) {
    const Visited visited(
        R"({"specversion":"1.0","source":"/s","type":"t","data":{"id":"no"},"data_base64":null})",
        JsonLayout::single);

    ASSERT_EQ(visited.events.size(), 1U);
    const EventView& event = visited.events[0];
    EXPECT_EQ(event.specversion.string(), "1.0");
    EXPECT_EQ(event.source.string(), "/s");
    EXPECT_EQ(event.type.string(), "t");
    EXPECT_TRUE(event.data.is_there());
    EXPECT_FALSE(event.data_base64.is_there());
    EXPECT_EQ(event.id.kind, JsonValue::Kind::missing);
}

TEST(VisitEvents, takes_the_last_of_repeated_keys) {
    const Visited visited(
        R"({"id":"a","target":{"mediaType":"1"},"id":"b","target":{"mediaType":"2","mediaType":"3"},)"
        R"("action":"x","action":5})",
        JsonLayout::single);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].id.string(), "b");
    EXPECT_EQ(visited.events[0].target_media_type.string(), "3");
    EXPECT_FALSE(visited.events[0].action.is_string());
}

TEST(VisitEvents, forgets_the_media_type_of_a_target_that_is_replaced) {
    const Visited visited(R"({"target":{"mediaType":"1"},"target":"none"})", JsonLayout::single);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].target_media_type.kind, JsonValue::Kind::missing);
}

TEST(VisitEvents, decodes_keys_and_values) {
    const Visited visited(
        R"({"\u0069d":"a\"\\\n\u00e9\ud83d\ude00b","t\u0061rget":{"mediaTyp\u0065":"\/"}})",
        JsonLayout::single);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].id.string(),
              "a\"\\\n\xc3\xa9\xf0\x9f\x98\x80"
              "b");
    EXPECT_EQ(visited.events[0].target_media_type.string(), "/");
}

TEST(VisitEvents, keeps_big_numbers_digit_for_digit) {
    const std::string event = R"({"size":123456789012345678901234567890,"x":1E400,"id":"1"})";

    const Visited visited("[" + event + "]", JsonLayout::any);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].payload, event);
    EXPECT_EQ(visited.events[0].id.string(), "1");
}

TEST(VisitEvents, takes_the_last_events_of_an_envelope) {
    const Visited visited(R"({"events":[{"id":"a"}],"x":1,"event\u0073":[{"id":"b"}]})",
                          JsonLayout::envelope);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].id.string(), "b");
}

TEST(VisitEvents, takes_an_object_whose_events_are_no_array_for_an_event) {
    const std::string text = R"({"events":[{"id":"a"}],"id":"c","events":5})";

    const Visited visited(text, JsonLayout::any);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].payload, text);
    EXPECT_EQ(visited.events[0].id.string(), "c");
}

TEST(VisitEvents, finds_no_events_in_an_empty_envelope) {
    for (const char* const text : {"{}", " { } ", "{\"events\":[]}", "{\"events\":[ ],\"v\":2}"}) {
        const Visited visited(text, JsonLayout::envelope);

        EXPECT_TRUE(visited.events.empty()) << text;
        EXPECT_FALSE(visited.problem) << text;
    }
}

TEST(VisitEvents, takes_an_empty_object_for_an_event_where_events_may_stand_alone) {
    EXPECT_EQ(Visited("{}", JsonLayout::any).events.size(), 1U);
    EXPECT_EQ(Visited("{}", JsonLayout::single).events.size(), 1U);
}

TEST(VisitEvents, leaves_white_space_out_of_the_payload) {
    const Visited visited("\r\n {\"a\":1}\t ", JsonLayout::any);

    ASSERT_EQ(visited.events.size(), 1U);
    EXPECT_EQ(visited.events[0].payload, "{\"a\":1}");
}

TEST(VisitEvents, stops_when_told_to) {
    std::string text = "[{}";
    for (int i = 0; i < 2000; ++i) text += ",{}";

    const Visited visited(text + "]", JsonLayout::list);

    EXPECT_EQ(visited.events.size(), Visited::stop_after);
    EXPECT_FALSE(visited.problem);
}

struct LayoutCase {
    const char* text;
    JsonLayout layout;
    std::size_t offset;
    std::optional<std::size_t> index;
};
class WrongLayout : public testing::TestWithParam<LayoutCase> {};

TEST_P(WrongLayout, is_refused_with_its_place) {
    const Visited visited(GetParam().text, GetParam().layout);

    ASSERT_TRUE(visited.problem);
    EXPECT_EQ(visited.problem->offset, GetParam().offset);
    EXPECT_EQ(visited.problem->index, GetParam().index);
}

INSTANTIATE_TEST_SUITE_P(
    VisitEvents, WrongLayout,
    testing::Values(LayoutCase{"[{},{}, 5]", JsonLayout::any, 8, 2},
                    LayoutCase{"[\"a\"]", JsonLayout::list, 1, 0},
                    LayoutCase{"[[{}]]", JsonLayout::list, 1, 0},
                    LayoutCase{"{\"events\":[{}, null]}", JsonLayout::envelope, 15, 1},
                    LayoutCase{"{\"events\":[{},1]}", JsonLayout::any, 14, 1},
                    LayoutCase{"{\"events\":null}", JsonLayout::envelope, 10, std::nullopt},
                    LayoutCase{"{\"events\":{}}", JsonLayout::envelope, 10, std::nullopt},
                    LayoutCase{" {\"id\":\"1\"}", JsonLayout::envelope, 1, std::nullopt},
                    LayoutCase{"[]", JsonLayout::envelope, 0, std::nullopt},
                    LayoutCase{"[]", JsonLayout::single, 0, std::nullopt},
                    LayoutCase{"{}", JsonLayout::list, 0, std::nullopt},
                    LayoutCase{"  5", JsonLayout::any, 2, std::nullopt},
                    LayoutCase{"null", JsonLayout::any, 0, std::nullopt},
                    LayoutCase{"\"{}\"", JsonLayout::single, 0, std::nullopt}));

TEST(VisitEvents, goes_on_after_a_large_text) {
    const std::string large = "[{\"id\":\"" + std::string(4 * 1024 * 1024, 'x') + "\"}]";
    const PaddedText padded(large);

    EXPECT_FALSE(validate_json(padded.view()));
    EXPECT_EQ(Visited(large, JsonLayout::list).events.at(0).id.text.size(), 4U * 1024 * 1024);
    EXPECT_EQ(Visited("[{\"id\":\"1\"}]", JsonLayout::list).events.at(0).id.text, "1");
}

TEST(VisitEvents, works_on_several_threads) {
    std::vector<std::thread> threads;
    std::array<std::size_t, 4> counts{};
    for (std::size_t& count : counts) {
        threads.emplace_back([&count] {
            for (int i = 0; i < 200; ++i) {
                const PaddedText text("[{\"id\":\"1\"},{}]");
                if (!validate_json(text.view())) {
                    count += Visited("[{\"id\":\"1\"},{}]", JsonLayout::list).events.size();
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();

    for (const std::size_t count : counts) EXPECT_EQ(count, 400U);
}

TEST(AppendJsonString, escapes_what_must_be_escaped) {
    std::string text;

    append_json_string(text, std::string_view("a\"\\\n\x01\0\x7f\xc3\xa9", 9));

    EXPECT_EQ(text, "\"a\\\"\\\\\\u000a\\u0001\\u0000\x7f\xc3\xa9\"");
}

}  // namespace
}  // namespace fanfare
