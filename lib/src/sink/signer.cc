#include "sink/signer.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace fanfare {
namespace {

constexpr std::size_t ed25519_bytes = 64;

/// Only memory that has run out makes OpenSSL fail here.
void expect(bool has_worked) {
    if (!has_worked) throw std::runtime_error("OpenSSL could not compute a signature");
}

std::string_view view(const boost::asio::const_buffer& buffer) {
    return {static_cast<const char*>(buffer.data()), buffer.size()};
}

void append_base64(std::string_view bytes, std::string& out) {
    std::array<unsigned char, (ed25519_bytes + 2) / 3 * 4 + 1> text{};
    const int size = EVP_EncodeBlock(text.data(), bytes_of(bytes), static_cast<int>(bytes.size()));
    out.append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
}

void append_hex(std::string_view bytes, std::string& out) {
    static constexpr char digits[] = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4U];
        out += digits[byte & 0xfU];
    }
}

void append_number(std::int64_t number, std::string& out) {
    std::array<char, 24> text{};
    const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

DigestContext new_digest() {
    DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    expect(context != nullptr);
    return context;
}

void append_ed25519(EVP_PKEY* key, std::string_view text, std::string& out) {
    const DigestContext context = new_digest();
    std::array<unsigned char, ed25519_bytes> signature{};
    std::size_t size = signature.size();
    expect(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) == 1);
    expect(EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(text), text.size()) ==
           1);
    append_base64({reinterpret_cast<const char*>(signature.data()), size}, out);
}

}  // namespace

std::string_view signature_header(SigningScheme scheme) noexcept {
    switch (scheme) {
        case SigningScheme::standard:
            return "webhook-signature";
        case SigningScheme::github:
            return "X-Hub-Signature-256";
        case SigningScheme::stripe:
            return "Stripe-Signature";
    }
    return {};
}

void Mac::Free::operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }

Mac::Mac(std::string_view key) {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(
        EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
    expect(mac != nullptr);
    context_.reset(EVP_MAC_CTX_new(mac.get()));
    expect(context_ != nullptr);
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    expect(EVP_MAC_init(context_.get(), bytes_of(key), key.size(), parameters.data()) == 1);
}

// Without a key OpenSSL begins anew with the one it has.
void Mac::begin() { expect(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1); }

void Mac::add(std::string_view bytes) {
    expect(EVP_MAC_update(context_.get(), bytes_of(bytes), bytes.size()) == 1);
}

std::string_view Mac::end() {
    std::size_t size = 0;
    expect(EVP_MAC_final(context_.get(), result_, &size, sizeof result_) == 1);
    return {reinterpret_cast<const char*>(result_), size};
}

Signer::Signer(SigningScheme scheme, std::vector<SigningKey> keys) : scheme_(scheme) {
    for (SigningKey& key : keys) {
        std::unique_ptr<Mac> mac;
        if (!key.is_ed25519()) mac = std::make_unique<Mac>(key.hmac());
        keys_.push_back({std::move(mac), std::move(key)});
    }
}

void Signer::append_line(const SignedParts& parts, std::string& head) {
    head.append(signature_header(scheme_)).append(": ");
    switch (scheme_) {
        case SigningScheme::standard:
            append_standard(parts, head);
            break;
        case SigningScheme::github:
            append_github(parts, head);
            break;
        case SigningScheme::stripe:
            append_stripe(parts, head);
            break;
    }
    head.append("\r\n");
}

void Signer::append_standard(const SignedParts& parts, std::string& head) {
    start_.assign(parts.id).append(".");
    append_number(parts.timestamp_seconds, start_);
    start_.append(".");
    whole_.clear();
    const char* separator = "";
    for (const Prepared& key : keys_) {
        head.append(separator);
        separator = " ";
        if (key.mac == nullptr) {
            if (whole_.empty()) {
                whole_.assign(start_);
                for (const boost::asio::const_buffer& buffer : parts.body)
                    whole_.append(view(buffer));
            }
            head.append("v1a,");
            append_ed25519(key.key.ed25519(), whole_, head);
            continue;
        }
        key.mac->begin();
        key.mac->add(start_);
        for (const boost::asio::const_buffer& buffer : parts.body) key.mac->add(view(buffer));
        head.append("v1,");
        append_base64(key.mac->end(), head);
    }
    whole_.clear();
    if (whole_.capacity() > whole_bytes_kept_max) whole_.shrink_to_fit();
}

/// GitHub's form has room for one signature.
void Signer::append_github(const SignedParts& parts, std::string& head) {
    Mac& mac = *keys_.front().mac;
    mac.begin();
    for (const boost::asio::const_buffer& buffer : parts.body) mac.add(view(buffer));
    head.append("sha256=");
    append_hex(mac.end(), head);
}

void Signer::append_stripe(const SignedParts& parts, std::string& head) {
    start_.clear();
    append_number(parts.timestamp_seconds, start_);
    head.append("t=").append(start_);
    start_.append(".");
    for (const Prepared& key : keys_) {
        key.mac->begin();
        key.mac->add(start_);
        for (const boost::asio::const_buffer& buffer : parts.body) key.mac->add(view(buffer));
        head.append(",v1=");
        append_hex(key.mac->end(), head);
    }
}

bool is_ed25519_signature(EVP_PKEY* key, std::string_view signature, std::string_view signed_text) {
    const DigestContext context = new_digest();
    expect(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1);
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                            bytes_of(signed_text), signed_text.size()) == 1;
}

}  // namespace fanfare
