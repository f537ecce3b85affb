#include "sink/request_credentials.h"

#include "http/fields.h"

namespace fanfare {
namespace {

bool is_part_of_signature(SigningScheme scheme, std::string_view name) {
    if (equals_ignoring_case(name, signature_header(scheme))) return true;
    // They are signed, too.
    return scheme == SigningScheme::standard && (equals_ignoring_case(name, "webhook-id") ||
                                                 equals_ignoring_case(name, "webhook-timestamp"));
}

}  // namespace

std::string_view key_instead_of_header(const HttpSinkOptions& options, std::string_view name) {
    const SigningOptions& signing = options.signing;
    if (!signing.secrets.empty() && is_part_of_signature(signing.scheme, name)) return "signing";
    const bool has_auth = options.auth.type != AuthOptions::Type::none;
    return has_auth && equals_ignoring_case(name, "Authorization") ? "auth" : "";
}

RequestCredentials::RequestCredentials(const HttpPlan& plan, const SinkContext& context)
    : context_(context), authorizer_(plan.authorizer.get()), oauth2_(plan.oauth2.get()) {
    if (plan.signing != nullptr) signer_.emplace(plan.signing, context.endpoint);
}

std::string_view RequestCredentials::render(const SignedParts& parts) {
    if (authorizer_ == nullptr && !signer_) return {};
    const TimePoint now = context_.clock.now();
    lines_.clear();
    if (authorizer_ != nullptr) lines_.append(authorizer_->line(now, context_.endpoint));
    if (signer_) signer_->append_line(parts, now, lines_);
    return lines_;
}

awaitable<TokenFailure> RequestCredentials::renew_if_due() {
    TokenFailure failure;
    if (oauth2_->needs_renewal(context_.clock.now())) {
        failure = co_await oauth2_->renew(context_);
    }
    co_return failure;
}

Result<void> add_credentials(HttpPlan& plan, Connector& connector, Log* log) {
    for (const auto& header : plan.options.headers) {
        const std::string_view key = key_instead_of_header(plan.options, header.first);
        if (key.empty()) continue;
        return Error("header \"" + header.first + "\" cannot be configured beside " +
                     std::string(key));
    }
    const bool has_auth = plan.options.auth.type != AuthOptions::Type::none;
    if (has_auth && !plan.url.authorization.empty()) {
        return Error("a URL cannot have userinfo beside auth");
    }
    if (!plan.options.signing.secrets.empty()) {
        auto keys = SigningKeys::load(plan.options.signing, log);
        if (keys.has_error()) return keys.error();
        plan.signing = std::move(*keys);
    }
    if (plan.options.auth.type == AuthOptions::Type::oauth2) {
        auto oauth2 = OAuth2::make(plan.options, plan.resolver, connector, log);
        if (oauth2.has_error()) return oauth2.error();
        plan.oauth2 = std::move(*oauth2);
        plan.authorizer = plan.oauth2;
        return {};
    }
    auto authorizer = make_file_authorizer(plan.options.auth, log);
    if (authorizer.has_error()) return authorizer.error();
    plan.authorizer = std::move(*authorizer);
    return {};
}

}  // namespace fanfare
