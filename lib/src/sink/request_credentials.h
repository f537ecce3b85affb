#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fanfare/sink_maker.h"
#include "sink/auth/oauth2.h"
#include "sink/http_plan.h"
#include "sink/signing.h"

namespace fanfare {

/// What the requests of one sink say about who sends them: Authorization and signature.
class RequestCredentials {
  public:
    /// `plan` and what `context` holds must outlive it.
    RequestCredentials(const HttpPlan& plan, const SinkContext& context);

    /// The header lines for a request, valid until the next call; empty if there are none.
    std::string_view render(const SignedParts& parts);

    /// Whether renew_if_due() has to come before render().
    bool are_renewable() const noexcept { return oauth2_ != nullptr; }

    // Only if they are renewable; see OAuth2.
    awaitable<TokenFailure> renew_if_due();
    unsigned version() const noexcept { return oauth2_->version(); }
    awaitable<TokenFailure> replace(unsigned version) {
        return oauth2_->replace(version, context_);
    }
    void accepted(unsigned version) noexcept { oauth2_->accepted(version); }

  private:
    const SinkContext context_;
    Authorizer* const authorizer_;
    OAuth2* const oauth2_;  ///< the same one, if it is of that kind
    std::optional<RequestSigner> signer_;
    std::string lines_;
};

/// The key, `signing` or `auth`, that leaves no room for a configured header of that name; empty if
/// it may stand.
std::string_view key_instead_of_header(const HttpSinkOptions& options, std::string_view name);

/// Loads what `plan.options` says of signing and auth into the plan. An Error if a secret is of no
/// use, or a header is in the way. `connector` is for token requests.
Result<void> add_credentials(HttpPlan& plan, Connector& connector, Log* log);

}  // namespace fanfare
