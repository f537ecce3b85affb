#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/captures.h"
#include "support/parsed.h"

namespace fanfare {
namespace {

using test::Parsed;
using test::registry_v2;

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
        const Parsed parsed(registry_v2, text);

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
