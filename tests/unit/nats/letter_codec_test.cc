#include "nats/letter_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fanfare {
namespace {

constexpr const char* payload = R"({"id":"e1"})";

DeadLetter letter() {
    EventFields fields;
    fields.id = "e1 é%";
    fields.action = "push";
    fields.target_media_type = "application/x";
    fields.traceparent = "00-1-2-03";
    fields.tracestate = "a=b";
    DeadLetter result;
    result.endpoint = "team.audit_1";
    result.event = Event::make(payload, fields, MediaType::registry_v1);
    result.reason = DeadReason::max_attempts;
    result.last_error = Reason::timeout;
    result.attempts = 7;
    result.accepted_at = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
    result.given_up_at = WallTime(std::chrono::microseconds(1'700'000'001'000'001));
    return result;
}

JsStored stored(const DeadLetter& letter) {
    JsStored result;
    result.seq = 42;
    result.subject = "fanfare.dead.team_2Eaudit_5F1";
    result.headers = headers_of(letter);
    result.payload = letter.event->payload();
    return result;
}

std::string key_of(const DeadLetter& letter) {
    return std::string(stored(letter).header("Nats-Msg-Id"));
}

TEST(LetterCodec, gives_back_what_it_is_given) {
    const StoredLetter result = letter_of(stored(letter()), true);

    EXPECT_EQ(result.id, 42);
    EXPECT_EQ(result.endpoint, "team.audit_1");
    EXPECT_EQ(result.event_id, "e1 é%");
    EXPECT_EQ(result.action, "push");
    EXPECT_EQ(result.media_type, MediaType::registry_v1);
    EXPECT_EQ(result.target_media_type, "application/x");
    EXPECT_EQ(result.traceparent, "00-1-2-03");
    EXPECT_EQ(result.tracestate, "a=b");
    EXPECT_EQ(result.reason, "max_attempts");
    EXPECT_EQ(result.last_status, 0);
    EXPECT_EQ(result.last_error, "timeout");
    EXPECT_EQ(result.attempts, 7U);
    EXPECT_EQ(result.accepted_at, letter().accepted_at);
    EXPECT_EQ(result.given_up_at, letter().given_up_at);
    EXPECT_EQ(result.payload, payload);
}

TEST(LetterCodec, tells_the_size_of_a_payload_that_it_leaves_out) {
    const StoredLetter result = letter_of(stored(letter()), false);

    EXPECT_EQ(result.payload, "");
    EXPECT_EQ(result.payload_bytes, std::string_view(payload).size());
}

TEST(LetterCodec, knows_the_status_of_an_answer) {
    DeadLetter answered = letter();
    answered.last_error = Reason::none;
    answered.last_status = 410;

    const StoredLetter result = letter_of(stored(answered), false);

    EXPECT_EQ(result.last_status, 410);
    EXPECT_EQ(result.last_error, "");
}

TEST(LetterCodec, takes_the_endpoint_of_a_damaged_letter_from_its_subject) {
    JsStored damaged = stored(letter());
    damaged.headers.clear();

    const StoredLetter result = letter_of(damaged, true);

    EXPECT_EQ(result.id, 42);
    EXPECT_EQ(result.endpoint, "team.audit_1");
    EXPECT_EQ(result.event_id, "");
    EXPECT_EQ(result.payload, payload);
}

/// Two processes may give up the same event, if the first could not say so in time.
TEST(LetterCodec, has_a_key_by_endpoint_and_event) {
    DeadLetter other_endpoint = letter();
    other_endpoint.endpoint = "billing";
    DeadLetter later = letter();
    later.given_up_at += std::chrono::seconds(1);

    EXPECT_EQ(key_of(letter()), key_of(letter()));
    EXPECT_NE(key_of(letter()), key_of(other_endpoint));
    // Without a seq, an event that has been queued again cannot be told from the one before.
    EXPECT_NE(key_of(letter()), key_of(later));
}

}  // namespace
}  // namespace fanfare
