#include "server/bearer_token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <boost/algorithm/string/predicate.hpp>

namespace fanfare {
namespace {

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

BearerToken::BearerToken(SecretFile file, Clock& clock)
    : clock_(clock), file_(std::move(file)), digest_(digest(file_.text().reveal())) {
    file_.was_read(clock.now());
}

Result<std::unique_ptr<BearerToken>> BearerToken::load(std::string file, std::string component,
                                                       Clock& clock, Log& log) {
    SecretFile::Options options{.file = std::move(file),
                                .what = "bearer token file",
                                .component = std::move(component),
                                .check = check_token};
    Result<SecretFile> loaded = SecretFile::load(std::move(options), &log);
    if (loaded.has_error()) return loaded.error();
    return std::unique_ptr<BearerToken>(new BearerToken(std::move(*loaded), clock));
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
    if (file_.refresh(clock_.now())) digest_ = digest(file_.text().reveal());
    return digest_;
}

}  // namespace fanfare
