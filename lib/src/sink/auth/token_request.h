#pragma once

#include <optional>
#include <string>

#include "base/secret_file.h"
#include "fanfare/http_sink.h"
#include "fanfare/outcome.h"
#include "fanfare/sink_maker.h"
#include "sink/http_plan.h"

namespace fanfare {

/// What a token endpoint has given.
struct Token {
    Secret text;
    std::optional<Duration> life;  ///< from when it was asked for; none: it did not say
};

/// Why there is no token; no error: there is one.
struct TokenFailure {
    Reason reason = Reason::none;
    error_code error;
    Duration retry_after{};  ///< asked for by the answer; zero: it was not
};

/// A token, or why there is none.
struct TokenAnswer {
    std::optional<Token> token;
    TokenFailure failure;
};

/// Asks for tokens by client credentials (RFC 6749 4.4). The client says who it is by
/// `Authorization: Basic`, which every token endpoint must know.
class TokenRequest {
  public:
    /// For a request together with its answer, however short the endpoint's own timeout.
    static constexpr Duration timeout_min = std::chrono::seconds(10);
    static constexpr std::size_t token_bytes_max = std::size_t{16} * 1024;

    /// `options` are the endpoint's: its `auth`, its time limit if that is longer, and of its
    /// `tls` what says whom to trust.
    static Result<TokenRequest> make(const HttpSinkOptions& options, Resolver& resolver,
                                     Connector& connector);

    /// One request on a connection of its own, within its time. operation_aborted is an error only
    /// if the coroutine was cancelled.
    awaitable<TokenAnswer> send(const SinkContext& context, const Secret& client_secret) const;

    const std::string& url() const noexcept { return auth_.token_url; }

    /// Reads the body of a 200.
    static TokenAnswer read(std::string_view body);

  private:
    TokenRequest(AuthOptions auth, HttpPlan plan) : auth_(std::move(auth)), plan_(std::move(plan)) {
        make_body();
    }
    void make_body();
    std::string render(const Secret& client_secret) const;

    AuthOptions auth_;
    HttpPlan plan_;
    std::string body_;
};

}  // namespace fanfare
