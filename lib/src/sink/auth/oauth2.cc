#include "sink/auth/oauth2.h"

#include <algorithm>
#include <boost/asio/error.hpp>

namespace fanfare {

/// Holds the place of the one that renews, and wakes the others when it leaves, however it does.
class OAuth2::Renewing {
  public:
    explicit Renewing(OAuth2& owner) : owner_(owner), renewal_(std::make_shared<Renewal>()) {
        owner_.renewal_ = renewal_;
    }
    ~Renewing() {
        owner_.renewal_.reset();
        for (Wakeup* const wakeup : renewal_->waiting) wakeup->notify();
    }
    Renewing(const Renewing&) = delete;
    Renewing& operator=(const Renewing&) = delete;

    void end(const TokenFailure& failure) {
        renewal_->has_ended = true;
        renewal_->failure = failure;
    }

  private:
    OAuth2& owner_;
    const std::shared_ptr<Renewal> renewal_;
};

/// A place among those that wait for a renewal.
class OAuth2::Waiting {
  public:
    Waiting(std::shared_ptr<Renewal> renewal, const Executor& executor)
        : renewal_(std::move(renewal)), wakeup_(executor) {
        renewal_->waiting.push_back(&wakeup_);
    }
    ~Waiting() { std::erase(renewal_->waiting, &wakeup_); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    Wakeup& wakeup() { return wakeup_; }
    const Renewal& renewal() const { return *renewal_; }

  private:
    const std::shared_ptr<Renewal> renewal_;
    Wakeup wakeup_;
};

Result<std::shared_ptr<OAuth2>> OAuth2::make(const HttpSinkOptions& options, Resolver& resolver,
                                             Connector& connector, Log* log) {
    Result<TokenRequest> request = TokenRequest::make(options, resolver, connector);
    if (request.has_error()) return request.error();
    SecretFile::Options watched{.file = options.auth.client_secret_file,
                                .what = "client secret file",
                                .component = "endpoint",
                                .check = check_one_line};
    Result<SecretFile> secret = SecretFile::load(std::move(watched), log);
    if (secret.has_error()) return secret.error();
    return std::shared_ptr<OAuth2>(new OAuth2(std::move(*request), std::move(*secret), log));
}

const std::string& OAuth2::line(TimePoint /*now*/, std::string_view /*endpoint*/) { return line_; }

/// Of a token that is due but still good, only one takes care; the others go on with it.
bool OAuth2::needs_renewal(TimePoint now) const {
    if (!has_token(now)) return true;
    return now >= due_ && renewal_ == nullptr;
}

awaitable<TokenFailure> OAuth2::renew(const SinkContext& context) {
    while (renewal_ != nullptr) {
        Waiting waiting(renewal_, context.executor);
        co_await waiting.wakeup().wait();
        if (waiting.renewal().has_ended) co_return waiting.renewal().failure;
        if (has_token(context.clock.now())) co_return TokenFailure();
    }
    const TimePoint asked = context.clock.now();
    if (asked < not_before_) {
        if (has_token(asked)) co_return TokenFailure();
        co_return failure_;
    }
    Renewing renewing(*this);
    client_secret_.refresh(asked, context.endpoint);
    // The file may be read anew meanwhile.
    const Secret client_secret = client_secret_.text();
    const TokenAnswer answer = co_await request_.send(context, client_secret);
    TokenFailure failure = answer.failure;
    if (failure.error == net::error::operation_aborted) co_return failure;
    if (answer.token) {
        take(*answer.token, asked);
    } else {
        failure = postpone(failure, context);
    }
    renewing.end(failure);
    co_return failure;
}

void OAuth2::take(const Token& token, TimePoint asked) {
    Duration life = token.life.value_or(life_default);
    if (life <= Duration::zero()) life = life_of_none;
    line_ = "Authorization: Bearer " + token.text.reveal() + "\r\n";
    expires_ = asked + life;
    due_ = expires_ - std::min(renewal_ahead_max, life / 10);
    is_held_ = true;
    ++version_;
}

/// No failure if there is a token to go on with.
TokenFailure OAuth2::postpone(const TokenFailure& failure, const SinkContext& context) {
    const TimePoint now = context.clock.now();
    not_before_ = now + std::clamp(failure.retry_after, renewal_pause, renewal_pause_max);
    failure_ = failure;
    if (!has_token(now)) return failure;
    due_ = not_before_;
    if (log_ != nullptr) {
        log_->warn("endpoint", "token not renewed, the present one stays",
                   {{"endpoint", context.endpoint},
                    {"token_url", redacted_url(request_.url())},
                    {"reason", to_string(failure.reason)},
                    {"error", failure.error.message()}});
    }
    return {};
}

awaitable<TokenFailure> OAuth2::replace(unsigned version, const SinkContext& context) {
    TokenFailure failure;
    if (version != version_) co_return failure;
    if (renewal_ == nullptr) {
        const TimePoint now = context.clock.now();
        if (now < replaceable_) co_return failure;
        replaceable_ = now + (is_doubtful_ ? doubtful_pause : renewal_pause);
        // It stays in use until there is another: one 401 may well be the endpoint's mistake.
        due_ = std::min(due_, now);
    }
    failure = co_await renew(context);
    if (version != version_) is_doubtful_ = true;
    co_return failure;
}

}  // namespace fanfare
