#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/secret_file.h"
#include "base/wakeup.h"
#include "sink/auth/authorizer.h"
#include "sink/auth/token_request.h"

namespace fanfare {

/// OAuth 2.0 client credentials: a token that is asked for when first needed, kept, and renewed
/// before it expires. Whoever finds it due renews it, in its own attempt; one at a time.
class OAuth2 final : public Authorizer {
  public:
    /// Assumed if the token endpoint does not say how long a token lives.
    static constexpr Duration life_default = std::chrono::minutes(5);
    /// Assumed if it says none at all, zero or less, so that there is no request per event.
    static constexpr Duration life_of_none = std::chrono::seconds(5);
    /// A token is renewed this long before it expires, or at nine tenths of its life.
    static constexpr Duration renewal_ahead_max = std::chrono::minutes(1);
    /// From a request that failed to the next, unless its answer asks for more; meanwhile all
    /// attempts go on with the token that there is, or fail as that request did. Also from one
    /// token that had to be replaced to the next.
    static constexpr Duration renewal_pause = std::chrono::seconds(5);
    static constexpr Duration renewal_pause_max = std::chrono::hours(1);
    /// The same if the endpoint has not taken the replacement either: a new token is no help then.
    static constexpr Duration doubtful_pause = std::chrono::minutes(1);

    /// `options` are the endpoint's. Resolver and connector must outlive it, and `log` if there is
    /// one. An Error if the file of the secret is of no use, say.
    static Result<std::shared_ptr<OAuth2>> make(const HttpSinkOptions& options, Resolver& resolver,
                                                Connector& connector, Log* log);

    const std::string& line(TimePoint now, std::string_view endpoint) override;

    /// Whether renew() has to come before line().
    bool needs_renewal(TimePoint now) const;

    /// Gets a new token, or waits for the sink that is already getting one. `context` must outlive
    /// the coroutine. A failure if there is no token then, or operation_aborted.
    awaitable<TokenFailure> renew(const SinkContext& context);

    /// Changes with each token.
    unsigned version() const noexcept { return version_; }

    /// Gets another token for the one of that version, which the endpoint has refused, unless it is
    /// too early for one more. version() tells whether there is another; the only failure that
    /// counts is operation_aborted. `context` as for renew().
    awaitable<TokenFailure> replace(unsigned version, const SinkContext& context);

    /// Says that the endpoint has taken the token of that version.
    void accepted(unsigned version) noexcept {
        if (version == version_) is_doubtful_ = false;
    }

  private:
    /// One renewal, from which all that wait for it learn how it ended.
    struct Renewal {
        bool has_ended = false;  ///< else it was given up: somebody else has to
        TokenFailure failure;
        std::vector<Wakeup*> waiting;
    };
    class Renewing;
    class Waiting;

    OAuth2(TokenRequest request, SecretFile client_secret, Log* log)
        : request_(std::move(request)), client_secret_(std::move(client_secret)), log_(log) {}

    bool has_token(TimePoint now) const { return is_held_ && now < expires_; }
    void take(const Token& token, TimePoint asked);
    TokenFailure postpone(const TokenFailure& failure, const SinkContext& context);

    const TokenRequest request_;
    SecretFile client_secret_;
    Log* const log_;
    std::shared_ptr<Renewal> renewal_;  ///< under way
    std::string line_;
    bool is_held_ = false;
    bool is_doubtful_ = false;  ///< got for one that was refused, and not yet accepted
    unsigned version_ = 0;
    TimePoint due_{};  ///< for renewal
    TimePoint expires_{};
    TokenFailure failure_;                      ///< of the last request
    TimePoint not_before_ = TimePoint::min();   ///< comes the next one
    TimePoint replaceable_ = TimePoint::min();  ///< from then on
};

}  // namespace fanfare
