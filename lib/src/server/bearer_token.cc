#include "server/bearer_token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>

#include "base/files.h"

namespace fanfare {
namespace {

Result<std::string> read_token(const std::string& file) {
    Result<std::string> content = read_file(file, BearerToken::file_bytes_max);
    if (!content) return Error("bearer token file " + file + " " + content.error().message());
    std::string& text = *content;
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty()) return Error("bearer token file " + file + " is empty");
    const auto is_visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (!std::all_of(text.begin(), text.end(), is_visible)) {
        return Error("bearer token file " + file + " must hold one line of visible characters");
    }
    return content;
}

/// What follows the scheme; nothing if that is not `Bearer`, or it is not clear which field counts.
std::optional<std::string_view> credentials(const RequestHead& head) {
    static constexpr std::string_view scheme = "bearer ";
    if (head.fields.has_many(FieldName::authorization)) return std::nullopt;
    std::string_view authorization = head.find(FieldName::authorization).value_or("");
    if (!boost::algorithm::istarts_with(authorization, scheme)) return std::nullopt;
    authorization.remove_prefix(scheme.size());
    const std::size_t begin = authorization.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    return authorization.substr(begin);
}

}  // namespace

BearerToken::BearerToken(std::string file, std::string component, Clock& clock, Log& log)
    : file_(std::move(file)), component_(std::move(component)), clock_(clock), log_(log) {}

Result<std::unique_ptr<BearerToken>> BearerToken::load(std::string file, std::string component,
                                                       Clock& clock, Log& log) {
    const Result<std::string> text = read_token(file);
    if (!text) return text.error();
    std::unique_ptr<BearerToken> token(
        new BearerToken(std::move(file), std::move(component), clock, log));
    token->digest_ = digest(*text);
    token->checked_ = clock.now();
    return token;
}

bool BearerToken::accepts(const RequestHead& head) {
    const std::optional<std::string_view> given = credentials(head);
    if (!given) return false;
    const Digest expected = current();
    const Digest got = digest(*given);
    // Digests have one length, so that the token's own length does not show either.
    return CRYPTO_memcmp(expected.data(), got.data(), got.size()) == 0;
}

BearerToken::Digest BearerToken::digest(std::string_view text) {
    Digest result;
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data());
    return result;
}

BearerToken::Digest BearerToken::current() {
    const std::lock_guard lock(mutex_);
    const TimePoint now = clock_.now();
    if (now - checked_ < recheck_interval) return digest_;
    checked_ = now;
    const Result<std::string> text = read_token(file_);
    if (text) {
        digest_ = digest(*text);
    } else if (!is_unreadable_) {
        log_.warn(component_, "bearer token file is of no use, the last token stays",
                  {{"file", file_}, {"error", text.error().message()}});
    }
    is_unreadable_ = !text;
    return digest_;
}

}  // namespace fanfare
