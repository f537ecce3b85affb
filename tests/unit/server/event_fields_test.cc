#include <gtest/gtest.h>

#include <string>

#include "support/parsed.h"

namespace fanfare {
namespace {

using test::batch_type;
using test::cloudevent;
using test::Fields;
using test::Parsed;
using test::structured_type;

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
    const Parsed one(structured_type, cloudevent);
    const Parsed two(batch_type, "[" + std::string(cloudevent) + "," + cloudevent + "]");

    EXPECT_EQ(one.events().at(0).fields.id, "/s 1");
    EXPECT_EQ(one.events().at(0).payload, cloudevent);
    EXPECT_EQ(one.request().type, MediaType::cloudevents);
    EXPECT_EQ(two.events().size(), 2U);
    EXPECT_EQ(Parsed(batch_type, "[]").events().size(), 0U);
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

}  // namespace
}  // namespace fanfare
