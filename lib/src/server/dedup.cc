#include "server/dedup.h"

#include <openssl/evp.h>

#include <cstring>
#include <iterator>

namespace fanfare {
namespace {

Dedup::Hash dedup_hash(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned digest_size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &digest_size, EVP_sha256(), nullptr);
    Dedup::Hash hash{};
    std::memcpy(hash.data(), digest.data(), sizeof hash);
    return hash;
}

}  // namespace

Dedup::Key Dedup::key_of(std::string_view id, std::string_view payload) {
    return {dedup_hash(id), dedup_hash(payload)};
}

void Dedup::remove(Order::iterator entry) noexcept {
    by_id_.erase(entry->key.id);
    order_.erase(entry);
}

void Dedup::forget(std::span<const Key> keys) {
    const std::lock_guard lock(mutex_);
    for (const Key& key : keys) {
        const auto found = by_id_.find(key.id);
        if (found != by_id_.end()) remove(found->second);
    }
}

Dedup::Request::~Request() {
    for (; added_ > 0; --added_) dedup_.remove(std::prev(dedup_.order_.end()));
}

Dedup::Seen Dedup::Request::look(const Key& key) {
    const auto found = dedup_.by_id_.find(key.id);
    if (found != dedup_.by_id_.end()) {
        const Entry& entry = *found->second;
        if (!dedup_.is_expired(entry, now_)) {
            return entry.key.payload == key.payload ? Seen::duplicate : Seen::conflict;
        }
        dedup_.remove(found->second);
    }
    dedup_.order_.push_back({key, now_});
    try {
        dedup_.by_id_.emplace(key.id, std::prev(dedup_.order_.end()));
    } catch (...) {
        dedup_.order_.pop_back();
        throw;
    }
    ++added_;
    return Seen::no;
}

void Dedup::Request::accept() noexcept {
    // Twice as many as were added, so that what is over goes soon, but never all at once.
    for (std::size_t i = 0; i < 2 * added_ && !dedup_.order_.empty(); ++i) {
        const auto oldest = dedup_.order_.begin();
        const bool is_over = dedup_.order_.size() > dedup_.options_.ids_max;
        if (!is_over && !dedup_.is_expired(*oldest, now_)) break;
        dedup_.remove(oldest);
    }
    added_ = 0;
}

}  // namespace fanfare
