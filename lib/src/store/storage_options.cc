#include "fanfare/storage.h"

#include <algorithm>

namespace fanfare {

bool NatsOptions::has_tls() const {
    return tls != NatsTlsOptions() ||
           std::any_of(servers.begin(), servers.end(),
                       [](const std::string& url) { return url.starts_with("tls://"); });
}

bool is_nats_built_in() noexcept {
#ifdef FANFARE_WITH_NATS
    return true;
#else
    return false;
#endif
}

}  // namespace fanfare
