#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/clock.h"
#include "sink/signing_key.h"

namespace fanfare {

/// What a receiver has of a webhook; nothing for a header that is not there.
struct ReceivedWebhook {
    std::optional<std::string_view> id;
    std::optional<std::string_view> timestamp;
    std::optional<std::string_view> signature;
    std::string_view body;
};

/// Checks signatures by the rules of Standard Webhooks, the receiver's side.
class Verifier {
  public:
    /// Older or newer by more is refused.
    static constexpr std::int64_t tolerance_seconds = 300;
    /// More in one header are not looked at: each costs a look at the whole body.
    static constexpr std::size_t signatures_max = 32;

    /// `secrets`: `whsec_…`, `whsk_…` or `whpk_…`; a signature by any of them will do.
    static Result<Verifier> make(const std::vector<Secret>& secrets);

    /// Why the webhook is not to be believed; nothing if all is well.
    std::optional<std::string> problem(const ReceivedWebhook& webhook, WallTime now) const;

  private:
    explicit Verifier(std::vector<SigningKey> keys) : keys_(std::move(keys)) {}
    bool is_by_any_key(std::string_view version, std::string_view signature,
                       std::string_view signed_text) const;

    std::vector<SigningKey> keys_;
};

}  // namespace fanfare
