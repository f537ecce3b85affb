#include "fanfare/event.h"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

TEST(Event, keeps_payload_and_fields_wherever_their_text_stands) {
    const std::string payload = R"({"id":"in-payload","action":"pu\u0073h"})";
    EventFields fields;
    fields.id = "in-payload";
    fields.action = "push";
    fields.target_media_type = "application/octet-stream";
    fields.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    const std::shared_ptr<Event> event = Event::make(payload, fields, MediaType::registry_v1);

    EXPECT_EQ(event->payload(), payload);
    EXPECT_EQ(event->id(), "in-payload");
    EXPECT_EQ(event->action(), "push");
    EXPECT_EQ(event->target_media_type(), "application/octet-stream");
    EXPECT_EQ(event->traceparent(), fields.traceparent);
    EXPECT_EQ(event->tracestate(), "");
    EXPECT_EQ(event->type(), MediaType::registry_v1);
}

TEST(Event, copies_what_it_is_made_of) {
    std::string payload = R"({"id":"a"})";
    std::string id = "elsewhere";
    EventFields fields;
    fields.id = id;

    const std::shared_ptr<Event> event = Event::make(payload, fields);
    payload.assign(payload.size(), 'x');
    id.assign(id.size(), 'x');

    EXPECT_EQ(event->payload(), R"({"id":"a"})");
    EXPECT_EQ(event->id(), "elsewhere");
}

TEST(Event, holds_its_reservation_until_the_last_owner_lets_go) {
    Budget budget(100);
    std::shared_ptr<Event> event =
        Event::make("{}", EventFields{}, MediaType::json, *budget.try_reserve(40));
    const EventPtr other = event;

    event.reset();
    EXPECT_EQ(budget.bytes_used(), 40U);
    const_cast<EventPtr&>(other).reset();

    EXPECT_EQ(budget.bytes_used(), 0U);
}

// SPEC 1: an id goes into the header as it is if it may, else as a hash of it.
TEST(HeaderId, is_the_id_itself_if_that_is_safe) {
    EXPECT_EQ(header_id("3742a1ad-624a-40ae-9f2d-ba00fce5dd74"),
              "3742a1ad-624a-40ae-9f2d-ba00fce5dd74");
    EXPECT_EQ(header_id(std::string(64, 'a')), std::string(64, 'a'));
}

TEST(HeaderId, is_a_hash_of_an_id_that_is_not) {
    // printf abc.def | openssl dgst -sha256 -binary | basenc --base64url | cut -c1-32
    EXPECT_EQ(header_id("abc.def"), "evt_67MSe_XHxLTkK1FxD0lGwcHQWzMdI3nd");
    for (const std::string& id : {std::string(65, 'a'), std::string("a b"), std::string("é"),
                                  std::string("x\r\ny"), std::string("")}) {
        const std::string text = header_id(id);
        EXPECT_EQ(text.size(), 36U);
        EXPECT_EQ(text, header_id(text)) << "fit for a header";
    }
}

}  // namespace
}  // namespace fanfare
