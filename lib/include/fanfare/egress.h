#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare {

/// Where deliveries may go (SPEC 9). An endpoint's URL often comes from somebody else, so by
/// default the addresses are refused at which cloud machines are told their secrets.
struct EgressOptions {
    enum class Deny : std::uint8_t {
        none,
        metadata,    ///< link-local and cloud metadata, unspecified and multicast addresses
        non_public,  ///< all addresses that the public Internet does not route
    };

    Deny deny = Deny::metadata;
    std::vector<std::string> allow;    ///< CIDRs that `deny` does not concern
    std::vector<std::string> hosts;    ///< globs, one of which the URL's host must fit; empty: any
    bool https_only = false;           ///< of URLs; a proxy is spoken to in plain HTTP all the same
    std::vector<std::uint16_t> ports;  ///< that a URL may have; empty: any
    bool operator==(const EgressOptions&) const = default;
};

}  // namespace fanfare
