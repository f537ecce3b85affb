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
    /// A token is renewed this long before it expires, or at nine tenths of its life.
    static constexpr Duration renewal_ahead_max = std::chrono::minutes(1);
    /// Until the next try, if a token could not be renewed that is still good.
    static constexpr Duration renewal_pause = std::chrono::seconds(5);

    /// `options` are the endpoint's. Resolver and connector must outlive it, and `log` if there is
    /// one. An Error if the file of the secret is of no use, say.
    static Result<std::shared_ptr<Authorizer>> make(const HttpSinkOptions& options,
                                                    Resolver& resolver, Connector& connector,
                                                    Log* log);

    const std::string& line(TimePoint now) override;
    bool is_renewable() const noexcept override { return true; }
    bool needs_renewal(TimePoint now) const override;
    awaitable<Failure> renew(const SinkContext& context) override;
    unsigned version() const noexcept override { return version_; }
    void refused(unsigned version) override;

  private:
    /// One renewal, from which all that wait for it learn how it ended.
    struct Renewal {
        bool has_ended = false;  ///< else it was given up: somebody else has to
        Failure failure;
        std::vector<Wakeup*> waiting;
    };
    class Renewing;
    class Waiting;

    OAuth2(TokenRequest request, SecretFile client_secret, Log* log)
        : request_(std::move(request)), client_secret_(std::move(client_secret)), log_(log) {}

    bool has_token(TimePoint now) const { return is_held_ && now < expires_; }
    void take(const Token& token, TimePoint asked);
    void keep_present_token(const Failure& failure, TimePoint now);

    const TokenRequest request_;
    SecretFile client_secret_;
    Log* const log_;
    std::shared_ptr<Renewal> renewal_;  ///< under way
    std::string line_;
    bool is_held_ = false;
    unsigned version_ = 0;
    TimePoint due_{};  ///< for renewal
    TimePoint expires_{};
};

}  // namespace fanfare
