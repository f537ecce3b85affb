#pragma once

#include <openssl/types.h>

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sink/signing_key.h"

namespace fanfare {

/// What a signature is made over.
struct SignedParts {
    std::string_view id;  ///< `webhook-id`
    std::int64_t timestamp_seconds = 0;
    std::span<const boost::asio::const_buffer> body;
};

/// The header field that a scheme puts its signatures into.
std::string_view signature_header(SigningScheme scheme) noexcept;

/// HMAC-SHA256 with one key, as often as need be; the key is prepared once.
class Mac {
  public:
    explicit Mac(std::string_view key);

    void begin();
    void add(std::string_view bytes);
    /// 32 bytes, valid until the next call of any function.
    std::string_view end();

  private:
    struct Free {
        void operator()(EVP_MAC_CTX* context) const noexcept;
    };
    std::unique_ptr<EVP_MAC_CTX, Free> context_;
    unsigned char result_[32];
};

/// Signs requests with the keys it was made of. The body is read where it lies; only ed25519 needs
/// a copy, as OpenSSL signs with it in one piece. One thread at a time.
class Signer {
  public:
    /// `keys`: newest first.
    Signer(SigningScheme scheme, std::vector<SigningKey> keys);

    /// Appends the whole line of the header field, with a signature for each key.
    void append_line(const SignedParts& parts, std::string& head);

  private:
    void append_standard(const SignedParts& parts, std::string& head);
    void append_github(const SignedParts& parts, std::string& head);
    void append_stripe(const SignedParts& parts, std::string& head);

    static constexpr std::size_t whole_bytes_kept_max = std::size_t{64} * 1024;

    struct Prepared {
        std::unique_ptr<Mac> mac;  // null: ed25519
        SigningKey key;
    };

    const SigningScheme scheme_;
    std::vector<Prepared> keys_;
    std::string start_;  // of what is signed: everything but the body
    std::string whole_;  // for ed25519
};

/// Whether `signature`, 64 bytes, is the key's over `signed_text`.
bool is_ed25519_signature(EVP_PKEY* key, std::string_view signature, std::string_view signed_text);

}  // namespace fanfare
