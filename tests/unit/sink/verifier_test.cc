#include "sink/verifier.h"

#include <gtest/gtest.h>

#include "support/webhook_vectors.h"

namespace fanfare {
namespace {

using test::WebhookVector;

WallTime at(std::int64_t seconds) { return WallTime{} + std::chrono::seconds(seconds); }

/// What a verifier with these secrets says of a webhook that arrives `late` seconds after it was
/// signed; empty if all is well.
std::string verdict(const std::vector<std::string>& secrets, const WebhookVector& webhook,
                    std::int64_t late = 0) {
    std::vector<Secret> keys;
    for (const std::string& secret : secrets) keys.emplace_back(secret);
    const Result<Verifier> verifier = Verifier::make(keys);
    if (verifier.has_error()) return verifier.error().message();
    const std::string timestamp = std::to_string(webhook.timestamp);
    const ReceivedWebhook received{.id = webhook.id,
                                   .timestamp = timestamp,
                                   .signature = webhook.signature,
                                   .body = webhook.body};
    return verifier->problem(received, at(webhook.timestamp + late)).value_or("");
}

WebhookVector first_vector() { return test::webhook_vectors().front(); }

std::string verdict_on(const ReceivedWebhook& received) {
    const Result<Verifier> verifier = Verifier::make({Secret(test::key_1)});
    return verifier->problem(received, at(first_vector().timestamp)).value_or("");
}

TEST(Verifier, accepts_every_vector) {
    for (const WebhookVector& webhook : test::webhook_vectors()) {
        EXPECT_EQ(verdict(webhook.secrets, webhook), "") << webhook.signature;
    }
}

TEST(Verifier, needs_only_the_public_key_for_ed25519) {
    EXPECT_EQ(verdict({test::public_key}, test::webhook_vectors()[2]), "");
    EXPECT_EQ(verdict({test::key_1}, test::webhook_vectors()[2]), "no signature matches");
}

TEST(Verifier, accepts_any_one_of_several_signatures_by_any_one_of_several_keys) {
    const WebhookVector both = test::webhook_vectors()[3];

    EXPECT_EQ(verdict({test::key_1}, both), "");
    EXPECT_EQ(verdict({test::key_2}, both), "");
    EXPECT_EQ(verdict({test::public_key, test::key_2}, both), "");
}

TEST(Verifier, skips_versions_it_does_not_know) {
    WebhookVector webhook = first_vector();
    const std::string good = webhook.signature;

    webhook.signature = "v2,AAAA nonsense v1a,AAAA v1,AAAA " + good;
    EXPECT_EQ(verdict({test::key_1}, webhook), "");
    webhook.signature = "v2," + good.substr(3);
    EXPECT_EQ(verdict({test::key_1}, webhook),
              "webhook-signature has no signature of version v1 or v1a");
}

TEST(Verifier, refuses_a_signature_that_is_empty_cut_or_of_something_else) {
    WebhookVector webhook = first_vector();
    const std::string good = webhook.signature;
    for (const std::string& bad : {std::string("v1,"), std::string("v1"), good.substr(0, 40),
                                   good + "=", "v1,!" + good.substr(4), "v1a," + good.substr(3)}) {
        webhook.signature = bad;
        EXPECT_EQ(verdict({test::key_1}, webhook), "no signature matches") << bad;
    }
    WebhookVector other_body = first_vector();
    other_body.body += " ";
    EXPECT_EQ(verdict({test::key_1}, other_body), "no signature matches");
    WebhookVector other_id = first_vector();
    other_id.id += "x";
    EXPECT_EQ(verdict({test::key_1}, other_id), "no signature matches");
    EXPECT_EQ(verdict({test::key_2}, first_vector()), "no signature matches");
}

TEST(Verifier, names_a_header_that_is_missing) {
    const WebhookVector webhook = first_vector();
    const std::string timestamp = std::to_string(webhook.timestamp);
    const ReceivedWebhook good{webhook.id, timestamp, webhook.signature, webhook.body};
    ReceivedWebhook without_id = good;
    without_id.id = std::nullopt;
    ReceivedWebhook without_time = good;
    without_time.timestamp = std::nullopt;
    ReceivedWebhook without_signature = good;
    without_signature.signature = "";

    EXPECT_EQ(verdict_on(good), "");
    EXPECT_EQ(verdict_on(without_id), "webhook-id is missing");
    EXPECT_EQ(verdict_on(without_time), "webhook-timestamp is missing");
    EXPECT_EQ(verdict_on(without_signature), "webhook-signature is missing");
}

TEST(Verifier, refuses_a_timestamp_that_is_no_integer) {
    const WebhookVector webhook = first_vector();
    for (const char* text : {"hello", "1614265330.0", "1614265330 ", "0x10", "1614265330s", "-",
                             "99999999999999999999"}) {
        const ReceivedWebhook received{webhook.id, text, webhook.signature, webhook.body};
        EXPECT_EQ(verdict_on(received), "webhook-timestamp is no integer") << text;
    }
}

TEST(Verifier, tolerates_five_minutes_either_way) {
    const WebhookVector webhook = first_vector();

    EXPECT_EQ(verdict({test::key_1}, webhook, 300), "");
    EXPECT_EQ(verdict({test::key_1}, webhook, -300), "");
    EXPECT_EQ(verdict({test::key_1}, webhook, 301), "webhook-timestamp is too old");
    EXPECT_EQ(verdict({test::key_1}, webhook, -301), "webhook-timestamp is too new");
}

TEST(Verifier, is_not_made_of_what_is_no_secret) {
    for (const char* bad : {"", "whsec_", "whpk_AAAA", "whpk_!", "whsk_AAAA", "hello"}) {
        EXPECT_NE(verdict({bad}, first_vector()), "") << bad;
    }
}

}  // namespace
}  // namespace fanfare
