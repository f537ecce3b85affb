#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fanfare/secret.h"

namespace fanfare {

/// Where a secret is: in a file, which is read anew when it changes, or right here.
struct SecretSource {
    std::string file;  ///< not empty: `text` is not used
    Secret text;
    bool operator==(const SecretSource&) const = default;
};

/// How requests are signed.
enum class SigningScheme : std::uint8_t {
    standard,  ///< Standard Webhooks: `webhook-signature`, v1 and v1a
    github,    ///< `X-Hub-Signature-256`
    stripe,    ///< `Stripe-Signature`
};

/// Signatures over the requests to one endpoint (SPEC 10).
struct SigningOptions {
    SigningScheme scheme = SigningScheme::standard;
    /// Newest first; one signature each, all in one header. None: requests are not signed.
    std::vector<SecretSource> secrets;
    bool operator==(const SigningOptions&) const = default;
};

/// What the Authorization of requests to one endpoint is made of (SPEC 10). The files are read anew
/// when they change.
struct AuthOptions {
    enum class Type : std::uint8_t { none, bearer, basic, oauth2 };

    Type type = Type::none;
    std::string token_file;     ///< bearer
    std::string username;       ///< basic
    std::string password_file;  ///< basic
    // oauth2: client credentials (RFC 6749 4.4)
    std::string token_url;
    std::string client_id;
    std::string client_secret_file;
    std::vector<std::string> scopes;
    std::string audience;  ///< empty: not asked for
    /// PEM, of those who may vouch for the token endpoint; empty: those of the endpoint itself.
    std::string ca_file;
    bool operator==(const AuthOptions&) const = default;
};

}  // namespace fanfare
