#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/clock.h"
#include "fanfare/filter.h"
#include "fanfare/http_sink.h"
#include "fanfare/queue.h"
#include "fanfare/retry_policy.h"

namespace fanfare {

/// The settings of one endpoint as the admin listener shows them. Holds no secret: of the headers
/// only the names, of the URL everything but its userinfo.
struct EndpointInfo {
    std::string name;
    bool is_disabled = false;
    std::string url;
    std::vector<std::string> header_names;
    BodyFormat format = BodyFormat::envelope;
    Duration timeout{};
    Duration connect_timeout{};
    std::vector<StatusRange> success;
    unsigned max_in_flight = 1;
    std::string order_by;
    LeaseLimits batch;
    QueueBounds queue;
    RetryPolicy retry;
    std::vector<std::string> ignored_media_types;
    std::vector<std::string> ignored_actions;
    std::vector<MatchRule> match;
    bool insecure_skip_verify = false;
    SigningScheme signing_scheme = SigningScheme::standard;
    std::size_t signing_secrets = 0;  ///< how many; 0: not signed
    AuthOptions::Type auth_type = AuthOptions::Type::none;
    Duration idle_timeout{};
    std::string proxy;  ///< without userinfo; empty: none
    std::vector<std::string> no_proxy;
};

/// The endpoint of that name, or null.
inline const EndpointInfo* find_info(std::span<const EndpointInfo> endpoints,
                                     std::string_view name) {
    const auto found =
        std::find_if(endpoints.begin(), endpoints.end(),
                     [name](const EndpointInfo& endpoint) { return endpoint.name == name; });
    return found == endpoints.end() ? nullptr : &*found;
}

}  // namespace fanfare
