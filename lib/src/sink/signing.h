#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_file.h"
#include "fanfare/credentials.h"
#include "sink/signer.h"

namespace fanfare {

/// The keys of one endpoint; those from files follow their files. Shared by the endpoint's sinks,
/// on their shard.
class SigningKeys {
  public:
    /// An Error if a secret is of no use. `log` as for SecretFile.
    static Result<std::shared_ptr<SigningKeys>> load(const SigningOptions& options, Log* log);

    /// Looks at the files if it is time to; `endpoint` is for the log.
    void refresh(TimePoint now, std::string_view endpoint);

    /// Another number means other keys.
    unsigned version() const noexcept { return version_; }

    Signer make_signer() const;

  private:
    struct Entry {
        std::optional<SecretFile> file;  // none: the key stays
        SigningKey key;
    };

    explicit SigningKeys(SigningScheme scheme) : scheme_(scheme) {}
    Result<Entry> load_entry(const SecretSource& source, Log* log) const;

    const SigningScheme scheme_;
    std::vector<Entry> entries_;
    unsigned version_ = 0;
};

/// Signs the requests of one sink.
class RequestSigner {
  public:
    /// `endpoint`, for the log, must stay alive.
    RequestSigner(std::shared_ptr<SigningKeys> keys, std::string_view endpoint)
        : keys_(std::move(keys)),
          endpoint_(endpoint),
          signer_(keys_->make_signer()),
          version_(keys_->version()) {}

    /// Appends the line with the signatures of the endpoint's present keys.
    void append_line(const SignedParts& parts, TimePoint now, std::string& head);

  private:
    const std::shared_ptr<SigningKeys> keys_;
    const std::string_view endpoint_;
    std::optional<Signer> signer_;
    unsigned version_;
};

}  // namespace fanfare
