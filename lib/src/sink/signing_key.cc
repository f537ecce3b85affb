#include "sink/signing_key.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/base64.h"

namespace fanfare {
namespace {

constexpr std::string_view symmetric_prefix = "whsec_";
constexpr std::string_view private_prefix = "whsk_";
constexpr std::string_view public_prefix = "whpk_";
constexpr std::size_t hmac_bytes_min = 24;
constexpr std::size_t hmac_bytes_max = 64;
constexpr std::size_t secret_bytes_max = 1024;
constexpr std::size_t half_bytes = 32;  // of an ed25519 key

std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

bool has_public_half(const std::shared_ptr<EVP_PKEY>& key, std::string_view half) {
    std::array<unsigned char, half_bytes> computed{};
    std::size_t size = computed.size();
    return EVP_PKEY_get_raw_public_key(key.get(), computed.data(), &size) == 1 &&
           std::equal(computed.begin(), computed.end(), bytes_of(half));
}

Error not_base64(std::string_view expected) {
    return Error("is not base64; expected " + std::string(expected));
}

Error bad_length(std::size_t bytes, std::string_view expected) {
    return Error("stands for " + std::to_string(bytes) + " bytes; expected " +
                 std::string(expected));
}

constexpr std::string_view symmetric_form = "whsec_ and the base64 of 24 to 64 bytes";
constexpr std::string_view private_form = "whsk_ and the base64 of an ed25519 key, 32 or 64 bytes";
constexpr std::string_view public_form = "whpk_ and the base64 of an ed25519 key's 32 bytes";

}  // namespace

Result<SigningKey> SigningKey::parse(SigningScheme scheme, std::string_view secret) {
    if (scheme == SigningScheme::standard) {
        if (secret.starts_with(private_prefix)) return from_private(secret);
        if (secret.starts_with(public_prefix)) {
            return Error("is a public key; expected the private one, whsk_…");
        }
        return from_symmetric(secret);
    }
    if (secret.empty()) return Error("is empty; expected a text");
    if (secret.size() > secret_bytes_max) return Error("is too long; expected at most 1024 bytes");
    return SigningKey(Secret(std::string(secret)));
}

Result<SigningKey> SigningKey::parse_for_verifying(std::string_view secret) {
    if (secret.starts_with(public_prefix)) return from_public(secret);
    return parse(SigningScheme::standard, secret);
}

Result<SigningKey> SigningKey::from_symmetric(std::string_view text) {
    if (text.starts_with(symmetric_prefix)) text.remove_prefix(symmetric_prefix.size());
    std::optional<std::string> key = from_base64(text);
    if (!key) return not_base64(symmetric_form);
    if (key->size() < hmac_bytes_min || key->size() > hmac_bytes_max) {
        return bad_length(key->size(), symmetric_form);
    }
    return SigningKey(Secret(std::move(*key)));
}

Result<SigningKey> SigningKey::from_private(std::string_view text) {
    const std::optional<std::string> bytes = from_base64(text.substr(private_prefix.size()));
    if (!bytes) return not_base64(private_form);
    if (bytes->size() != half_bytes && bytes->size() != 2 * half_bytes) {
        return bad_length(bytes->size(), private_form);
    }
    std::shared_ptr<EVP_PKEY> key = owned(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(*bytes), half_bytes));
    if (key == nullptr) return Error("cannot be used as an ed25519 key");
    const std::string_view half = std::string_view(*bytes).substr(half_bytes);
    if (!half.empty() && !has_public_half(key, half)) {
        return Error("has halves that do not belong together; expected " +
                     std::string(private_form));
    }
    return SigningKey(std::move(key));
}

Result<SigningKey> SigningKey::from_public(std::string_view text) {
    const std::optional<std::string> bytes = from_base64(text.substr(public_prefix.size()));
    if (!bytes) return not_base64(public_form);
    if (bytes->size() != half_bytes) return bad_length(bytes->size(), public_form);
    std::shared_ptr<EVP_PKEY> key =
        owned(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*bytes), half_bytes));
    if (key == nullptr) return Error("cannot be used as an ed25519 key");
    return SigningKey(std::move(key));
}

}  // namespace fanfare
