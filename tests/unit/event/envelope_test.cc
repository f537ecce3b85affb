#include "fanfare/envelope.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare {
namespace {

EventPtr event(std::string_view payload, MediaType type = MediaType::json) {
    EventFields fields;
    fields.id = "id";
    return Event::make(payload, fields, type);
}

std::string text_of(const Envelope& envelope) {
    std::string text;
    for (const boost::asio::const_buffer& buffer : envelope.buffers()) {
        text.append(static_cast<const char*>(buffer.data()), buffer.size());
    }
    return text;
}

TEST(Envelope, keeps_the_bytes_of_an_event) {
    const std::string payload = "{\n   \"size\": 9007199254740993,\t\"x\": \"\\u003c\xc3\xa9\"}";
    const std::vector<EventPtr> batch = {event(payload)};

    const Envelope envelope(batch);

    EXPECT_EQ(text_of(envelope), "{\"events\":[" + payload + "]}");
    EXPECT_EQ(envelope.size_bytes(), text_of(envelope).size());
}

TEST(Envelope, lists_the_events_of_a_batch_in_order) {
    const std::vector<EventPtr> batch = {event("{\"a\":1}"), event("{\"a\":1}"), event("{}")};

    const Envelope envelope(batch);

    EXPECT_EQ(text_of(envelope), R"({"events":[{"a":1},{"a":1},{}]})");
    EXPECT_EQ(envelope.size_bytes(), text_of(envelope).size());
}

TEST(Envelope, separates_an_event_that_comes_twice) {
    const EventPtr same = event("{}");
    const std::vector<EventPtr> batch = {same, same};

    EXPECT_EQ(text_of(Envelope(batch)), R"({"events":[{},{}]})");
}

TEST(Envelope, copies_no_payload) {
    const std::vector<EventPtr> batch = {event("{\"a\":1}")};

    const Envelope envelope(batch);

    EXPECT_EQ(envelope.buffers()[1].data(), batch.front()->payload().data());
}

// Acceptance 5.
TEST(Envelope, leaves_in_the_media_type_it_came_in) {
    const std::vector<std::pair<MediaType, MediaType>> cases = {
        {MediaType::registry_v1, MediaType::registry_v1},
        {MediaType::registry_v2, MediaType::registry_v2},
        {MediaType::json, MediaType::registry_v2},
        {MediaType::cloudevents, MediaType::registry_v2}};

    for (const auto& [received, sent] : cases) {
        const std::vector<EventPtr> batch = {event("{}", received)};
        EXPECT_EQ(Envelope::media_type(batch), media_type_text(sent));
    }
}

}  // namespace
}  // namespace fanfare
