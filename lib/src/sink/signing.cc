#include "sink/signing.h"

namespace fanfare {

Result<std::shared_ptr<SigningKeys>> SigningKeys::load(const SigningOptions& options, Log* log) {
    if (options.scheme == SigningScheme::github && options.secrets.size() > 1) {
        return Error("the form of GitHub has room for one signature; expected one signing secret");
    }
    std::shared_ptr<SigningKeys> keys(new SigningKeys(options.scheme));
    for (const SecretSource& source : options.secrets) {
        Result<Entry> entry = keys->load_entry(source, log);
        if (entry.has_error()) return entry.error();
        keys->entries_.push_back(std::move(*entry));
    }
    return keys;
}

Result<SigningKeys::Entry> SigningKeys::load_entry(const SecretSource& source, Log* log) const {
    if (source.file.empty()) {
        Result<SigningKey> key = SigningKey::parse(scheme_, source.text.reveal());
        if (key.has_error()) return Error("a signing secret " + key.error().message());
        return Entry{std::nullopt, std::move(*key)};
    }
    const SigningScheme scheme = scheme_;
    const auto check = [scheme](const std::string& text) -> Result<void> {
        const Result<SigningKey> key = SigningKey::parse(scheme, text);
        if (key.has_error()) return Error("holds a secret that " + key.error().message());
        return {};
    };
    SecretFile::Options options{.file = source.file,
                                .what = "signing secret file",
                                .component = "endpoint",
                                .check = check};
    Result<SecretFile> file = SecretFile::load(std::move(options), log);
    if (file.has_error()) return file.error();
    Result<SigningKey> key = SigningKey::parse(scheme_, file->text().reveal());
    if (key.has_error()) return key.error();
    return Entry{std::move(*file), std::move(*key)};
}

void SigningKeys::refresh(TimePoint now, std::string_view endpoint) {
    for (Entry& entry : entries_) {
        if (!entry.file || !entry.file->refresh(now, endpoint)) continue;
        Result<SigningKey> key = SigningKey::parse(scheme_, entry.file->text().reveal());
        if (key.has_error()) continue;  // The file's check has seen to it that this cannot be.
        entry.key = std::move(*key);
        ++version_;
    }
}

Signer SigningKeys::make_signer() const {
    std::vector<SigningKey> keys;
    for (const Entry& entry : entries_) keys.push_back(entry.key);
    return {scheme_, std::move(keys)};
}

void RequestSigner::append_line(const SignedParts& parts, TimePoint now, std::string& head) {
    keys_->refresh(now, endpoint_);
    if (version_ != keys_->version()) {
        signer_.emplace(keys_->make_signer());
        version_ = keys_->version();
    }
    signer_->append_line(parts, head);
}

}  // namespace fanfare
