#include "sink/auth/token_error.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fanfare {
namespace {

// Boost's categories have no virtual destructor, as nobody destroys one by its base.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class TokenCategory final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "token"; }
    std::string message(int value) const override {
        if (value >= 100) return "the token request was answered " + std::to_string(value);
        switch (static_cast<TokenProblem>(value)) {
            case TokenProblem::too_long:
                return "the answer to the token request is too long";
            case TokenProblem::no_http:
                return "the answer to the token request is not HTTP";
            case TokenProblem::no_json:
                return "the answer to the token request is no JSON object";
            case TokenProblem::no_token:
                return "the answer to the token request has no access_token of use";
            case TokenProblem::no_bearer:
                return "the token_type in the answer to the token request is not Bearer";
        }
        return "the token request failed";
    }
};

/// Says the same as another category, and where it happened.
class WithinCategory final : public boost::system::error_category {
  public:
    explicit WithinCategory(const boost::system::error_category& inner) : inner_(inner) {}
    const char* name() const noexcept override { return inner_.name(); }
    std::string message(int value) const override {
        return "token request: " + inner_.message(value);
    }

  private:
    const boost::system::error_category& inner_;
};

#pragma GCC diagnostic pop

const TokenCategory& token_category() {
    static const TokenCategory category;
    return category;
}

/// One for each category that there is, which are few. They stay, as an error_code may last.
const WithinCategory& within(const boost::system::error_category& inner) {
    static std::mutex mutex;
    static std::map<const void*, const WithinCategory> known;
    const std::lock_guard lock(mutex);
    return known.try_emplace(&inner, inner).first->second;
}

}  // namespace

error_code make_token_error(TokenProblem problem) {
    return {static_cast<int>(problem), token_category()};
}

error_code make_token_error(int http_status) { return {http_status, token_category()}; }

error_code in_token_request(error_code error) {
    if (!error) return error;
    return {error.value(), within(error.category())};
}

}  // namespace fanfare
