#include "config_support.h"

namespace fanfare::test {
namespace {

const std::string key_1 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string key_2 = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

TEST(SigningConfig, takes_secrets_from_files_variables_and_itself_in_their_order) {
    const SigningOptions signing =
        endpoint_of(
            "signing:\n  secrets:\n  - {file: /run/new}\n  - {env: KEY_1}\n  - ${KEY_2}\n"
            "  - " +
                key_1.substr(6) + "\n",
            environment({{"KEY_1", key_1}, {"KEY_2", key_2}}))
            .http.signing;

    EXPECT_EQ(signing.scheme, SigningScheme::standard);
    ASSERT_EQ(signing.secrets.size(), 4U);
    EXPECT_EQ(signing.secrets[0].file, "/run/new");
    EXPECT_EQ(signing.secrets[1].text.reveal(), key_1);
    EXPECT_EQ(signing.secrets[2].text.reveal(), key_2);
    EXPECT_EQ(signing.secrets[3].text.reveal(), key_1.substr(6));
}

TEST(SigningConfig, reads_secrets_as_the_scheme_says_wherever_that_stands) {
    const SigningOptions signing =
        endpoint_of("signing: {secrets: [\"It's a Secret\"], scheme: github}").http.signing;

    EXPECT_EQ(signing.scheme, SigningScheme::github);
    EXPECT_EQ(signing.secrets.at(0).text.reveal(), "It's a Secret");
}

TEST(SigningConfig, is_off_by_default) {
    EXPECT_TRUE(endpoint_of("").http.signing.secrets.empty());
    EXPECT_EQ(endpoint_of("").http.auth.type, AuthOptions::Type::none);
}

TEST(AuthConfig, reads_each_type) {
    const AuthOptions bearer =
        endpoint_of("auth: {type: bearer, token_file: /run/token}").http.auth;
    EXPECT_EQ(bearer.type, AuthOptions::Type::bearer);
    EXPECT_EQ(bearer.token_file, "/run/token");

    const AuthOptions basic =
        endpoint_of("auth: {type: basic, username: me, password_file: /run/word}").http.auth;
    EXPECT_EQ(basic.type, AuthOptions::Type::basic);
    EXPECT_EQ(basic.username, "me");
    EXPECT_EQ(basic.password_file, "/run/word");

    const AuthOptions oauth2 =
        endpoint_of(
            "auth: {type: oauth2, token_url: https://login.example.com/t, client_id: me, "
            "client_secret_file: /run/s, scopes: [a, b], audience: you}")
            .http.auth;
    EXPECT_EQ(oauth2.type, AuthOptions::Type::oauth2);
    EXPECT_EQ(oauth2.token_url, "https://login.example.com/t");
    EXPECT_EQ(oauth2.client_id, "me");
    EXPECT_EQ(oauth2.client_secret_file, "/run/s");
    EXPECT_EQ(oauth2.scopes, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(oauth2.audience, "you");
}

TEST(AuthConfig, comes_from_defaults_as_a_whole) {
    const std::string defaults = "defaults: {auth: {type: bearer, token_file: /run/token}}\n";
    const Config config =
        config_of(defaults +
                  "endpoints: [{name: a, url: 'http://a/'}, {name: b, url: 'http://b/', "
                  "auth: {type: basic, username: me, password_file: /run/word}}]");

    EXPECT_EQ(config.endpoints.at(0).http.auth.token_file, "/run/token");
    EXPECT_EQ(config.endpoints.at(1).http.auth.type, AuthOptions::Type::basic);
    EXPECT_EQ(config.endpoints.at(1).http.auth.token_file, "");
}

}  // namespace
}  // namespace fanfare::test
