#include "sink/verifier.h"

#include <openssl/crypto.h>

#include <charconv>

#include "base/base64.h"
#include "sink/signer.h"

namespace fanfare {
namespace {

std::optional<std::int64_t> read_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(value) : std::nullopt;
}

bool is_same_secretly(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<std::string> time_problem(std::string_view timestamp, WallTime now) {
    const std::optional<std::int64_t> sent = read_integer(timestamp);
    if (!sent) return "webhook-timestamp is no integer";
    const std::int64_t now_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (*sent < now_seconds - Verifier::tolerance_seconds) return "webhook-timestamp is too old";
    if (*sent > now_seconds + Verifier::tolerance_seconds) return "webhook-timestamp is too new";
    return std::nullopt;
}

/// The part of `text` up to a separator, which is taken off with it.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

}  // namespace

Result<Verifier> Verifier::make(const std::vector<Secret>& secrets) {
    std::vector<SigningKey> keys;
    for (const Secret& secret : secrets) {
        Result<SigningKey> key = SigningKey::parse_for_verifying(secret.reveal());
        if (key.has_error()) return key.error();
        keys.push_back(std::move(*key));
    }
    return Verifier(std::move(keys));
}

std::optional<std::string> Verifier::problem(const ReceivedWebhook& webhook, WallTime now) const {
    if (!webhook.id || webhook.id->empty()) return "webhook-id is missing";
    if (!webhook.timestamp || webhook.timestamp->empty()) return "webhook-timestamp is missing";
    if (!webhook.signature || webhook.signature->empty()) return "webhook-signature is missing";
    if (auto problem = time_problem(*webhook.timestamp, now)) return problem;

    std::string signed_text;
    signed_text.append(*webhook.id).append(".").append(*webhook.timestamp).append(".");
    signed_text.append(webhook.body);
    std::size_t known = 0;
    for (std::string_view rest = *webhook.signature; !rest.empty() && known < signatures_max;) {
        std::string_view item = take_until(rest, ' ');
        const std::string_view version = take_until(item, ',');
        if (version != "v1" && version != "v1a") continue;
        ++known;
        if (is_by_any_key(version, item, signed_text)) return std::nullopt;
    }
    if (known == 0) return "webhook-signature has no signature of version v1 or v1a";
    return "no signature matches";
}

bool Verifier::is_by_any_key(std::string_view version, std::string_view signature,
                             std::string_view signed_text) const {
    const std::optional<std::string> given = from_base64(signature);
    if (!given) return false;
    for (const SigningKey& key : keys_) {
        if (key.is_ed25519() != (version == "v1a")) continue;
        if (key.is_ed25519()) {
            if (is_ed25519_signature(key.ed25519(), *given, signed_text)) return true;
            continue;
        }
        Mac mac(key.hmac());
        mac.begin();
        mac.add(signed_text);
        if (is_same_secretly(mac.end(), *given)) return true;
    }
    return false;
}

}  // namespace fanfare
