#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "fanfare/credentials.h"
#include "fanfare/error.h"

namespace fanfare {

/// The bytes of `text` as OpenSSL takes them.
inline const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// What a secret of `signing` says, read once. Keys for HMAC-SHA256 are bytes, those for ed25519
/// are OpenSSL's.
class SigningKey {
  public:
    /// To sign with. Standard: `whsec_`, or nothing, before the base64 of 24 to 64 bytes; or
    /// `whsk_` before that of an ed25519 key, 32 bytes or 64 with its public half. GitHub and
    /// Stripe: any text, whose bytes are the key. The message never holds the secret; it reads on
    /// after the name of what is wrong: `is not base64; expected …`.
    static Result<SigningKey> parse(SigningScheme scheme, std::string_view secret);

    /// To verify with, by the standard scheme: `whpk_`, a public key, is one as well.
    static Result<SigningKey> parse_for_verifying(std::string_view secret);

    bool is_ed25519() const noexcept { return ed25519_ != nullptr; }
    EVP_PKEY* ed25519() const noexcept { return ed25519_.get(); }
    std::string_view hmac() const noexcept { return hmac_.reveal(); }

  private:
    explicit SigningKey(Secret hmac) : hmac_(std::move(hmac)) {}
    explicit SigningKey(std::shared_ptr<EVP_PKEY> ed25519) : ed25519_(std::move(ed25519)) {}

    static Result<SigningKey> from_private(std::string_view text);
    static Result<SigningKey> from_public(std::string_view text);
    static Result<SigningKey> from_symmetric(std::string_view text);

    Secret hmac_;
    std::shared_ptr<EVP_PKEY> ed25519_;
};

}  // namespace fanfare
