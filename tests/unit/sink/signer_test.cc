#include "sink/signer.h"

#include <gtest/gtest.h>

#include <array>

#include "support/webhook_vectors.h"

namespace fanfare {
namespace {

namespace net = boost::asio;

Signer make_signer(SigningScheme scheme, const std::vector<std::string>& secrets) {
    std::vector<SigningKey> keys;
    for (const std::string& secret : secrets) {
        Result<SigningKey> key = SigningKey::parse(scheme, secret);
        EXPECT_TRUE(key.has_value()) << secret;
        if (key.has_value()) keys.push_back(std::move(*key));
    }
    return {scheme, std::move(keys)};
}

std::string line(Signer& signer, const test::WebhookVector& webhook) {
    const std::array<net::const_buffer, 1> body = {net::buffer(webhook.body)};
    std::string head;
    signer.append_line({webhook.id, webhook.timestamp, body}, head);
    return head;
}

std::string problem_of(std::string_view secret, SigningScheme scheme = SigningScheme::standard) {
    const Result<SigningKey> key = SigningKey::parse(scheme, secret);
    return key.has_error() ? key.error().message() : "";
}

TEST(Signer, agrees_with_every_vector) {
    for (const test::WebhookVector& webhook : test::webhook_vectors()) {
        Signer signer = make_signer(SigningScheme::standard, webhook.secrets);

        EXPECT_EQ(line(signer, webhook), "webhook-signature: " + webhook.signature + "\r\n");
        EXPECT_EQ(line(signer, webhook), "webhook-signature: " + webhook.signature + "\r\n")
            << "the second time";
    }
}

TEST(Signer, reads_a_body_in_pieces_as_a_whole) {
    for (const test::WebhookVector& webhook : test::webhook_vectors()) {
        Signer signer = make_signer(SigningScheme::standard, webhook.secrets);
        std::vector<net::const_buffer> pieces;
        for (const char& c : webhook.body) pieces.emplace_back(&c, 1);
        std::string head = "before\r\n";

        signer.append_line({webhook.id, webhook.timestamp, pieces}, head);

        EXPECT_EQ(head, "before\r\nwebhook-signature: " + webhook.signature + "\r\n");
    }
}

TEST(Signer, mixes_symmetric_and_asymmetric_keys_in_their_order) {
    const std::vector<test::WebhookVector> vectors = test::webhook_vectors();
    Signer signer =
        make_signer(SigningScheme::standard, {test::private_key, test::key_1, test::private_key});

    EXPECT_EQ(line(signer, {}), "webhook-signature: " + vectors[2].signature + " " +
                                    vectors[0].signature + " " + vectors[2].signature + "\r\n");
}

TEST(Signer, takes_a_secret_without_its_prefix_and_a_seed_without_its_public_half) {
    const std::vector<test::WebhookVector> vectors = test::webhook_vectors();
    Signer plain = make_signer(SigningScheme::standard, {test::key_1.substr(6)});
    Signer seed =
        make_signer(SigningScheme::standard, {"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="});

    EXPECT_EQ(line(plain, {}), "webhook-signature: " + vectors[0].signature + "\r\n");
    EXPECT_EQ(line(seed, {}), "webhook-signature: " + vectors[2].signature + "\r\n");
}

TEST(Signer, signs_as_github_does) {
    Signer signer = make_signer(SigningScheme::github, {"It's a Secret to Everybody"});

    EXPECT_EQ(line(signer, {.secrets = {}, .body = "Hello, World!", .signature = {}}),
              "X-Hub-Signature-256: "
              "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r\n");
}

TEST(Signer, signs_as_stripe_does_with_each_key) {
    const std::string signature =
        "4465cb3053462ee70793fdfde4382c6360e4540db4260fcffa8d71f56a48126b";
    const test::WebhookVector webhook = {
        .secrets = {},
        .timestamp = 1700000000,
        .body = R"({"event":"charge.success","amount":1000,"currency":"NGN"})",
        .signature = {}};
    Signer one = make_signer(SigningScheme::stripe, {"whsec_test_secret"});
    Signer two = make_signer(SigningScheme::stripe, {"whsec_test_secret", "other"});

    EXPECT_EQ(line(one, webhook), "Stripe-Signature: t=1700000000,v1=" + signature + "\r\n");
    const std::string both = line(two, webhook);
    EXPECT_TRUE(both.starts_with("Stripe-Signature: t=1700000000,v1=" + signature + ",v1="));
    EXPECT_EQ(both.size(), line(one, webhook).size() + 4 + 64);
}

TEST(SigningKey, takes_24_to_64_bytes) {
    for (const std::size_t bytes : {23U, 24U, 64U, 65U}) {
        // 3 bytes are 4 characters, so that these lengths need no padding.
        const std::size_t rounded = bytes / 3 * 3;
        std::string text = "whsec_" + std::string(rounded / 3 * 4, 'A');
        if (bytes % 3 == 1) text += "AA==";
        if (bytes % 3 == 2) text += "AAA=";

        EXPECT_EQ(problem_of(text).empty(), bytes >= 24 && bytes <= 64) << bytes;
    }
}

TEST(SigningKey, says_what_is_wrong_with_a_secret_without_showing_it) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "stands for 0 bytes"},
        {"whsec_", "stands for 0 bytes"},
        {"whsec_c2hvcnQ=", "stands for 5 bytes"},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "is not base64"},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-", "is not base64"},
        {"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is not base64"},
        {"whsk_c2hvcnQ=", "stands for 5 bytes"},
        {"whsk_!", "is not base64"},
        {"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbcAAAAAj2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6K"
         "vg==",
         "has halves that do not belong together"},
        {"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "is a public key"}};
    for (const auto& [secret, problem] : cases) {
        EXPECT_TRUE(problem_of(secret).starts_with(problem))
            << secret << ": " << problem_of(secret);
        if (std::string_view(secret).size() < 10) continue;
        EXPECT_EQ(problem_of(secret).find(std::string_view(secret).substr(6)), std::string::npos);
    }
    EXPECT_EQ(problem_of("", SigningScheme::github), "is empty; expected a text");
    EXPECT_NE(problem_of(std::string(1025, 'a'), SigningScheme::stripe), "");
}

}  // namespace
}  // namespace fanfare
