#include "http/egress.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/case_conv.hpp>
#include <cassert>

#include "event/glob.h"
#include "http/embedded_v4.h"

namespace fanfare {
namespace {

using Deny = EgressOptions::Deny;

struct Block {
    std::string_view cidr;
    std::string_view what;
    Deny least;  ///< the mildest preset that refuses it
};

/// The first block that an address is in names it. What is not public follows the IANA registries
/// of special-purpose addresses; of IPv6, nothing outside of 2000::/3 has been given out.
constexpr std::array blocks = {
    Block{"169.254.0.0/16", "link-local, cloud metadata", Deny::metadata},
    Block{"100.100.100.200/32", "cloud metadata", Deny::metadata},
    Block{"168.63.129.16/32", "cloud metadata", Deny::metadata},
    Block{"0.0.0.0/32", "unspecified", Deny::metadata},
    Block{"224.0.0.0/4", "multicast", Deny::metadata},
    Block{"fe80::/10", "link-local", Deny::metadata},
    Block{"fd00:ec2::254/128", "cloud metadata", Deny::metadata},
    Block{"::/128", "unspecified", Deny::metadata},
    Block{"ff00::/8", "multicast", Deny::metadata},
    Block{"127.0.0.0/8", "loopback", Deny::non_public},
    Block{"10.0.0.0/8", "private", Deny::non_public},
    Block{"172.16.0.0/12", "private", Deny::non_public},
    Block{"192.168.0.0/16", "private", Deny::non_public},
    Block{"100.64.0.0/10", "shared by a carrier's customers", Deny::non_public},
    Block{"0.0.0.0/8", "this network", Deny::non_public},
    Block{"192.0.0.0/24", "protocol assignments", Deny::non_public},
    Block{"192.0.2.0/24", "documentation", Deny::non_public},
    Block{"198.51.100.0/24", "documentation", Deny::non_public},
    Block{"203.0.113.0/24", "documentation", Deny::non_public},
    Block{"192.88.99.0/24", "former 6to4 relays", Deny::non_public},
    Block{"198.18.0.0/15", "benchmarks", Deny::non_public},
    Block{"240.0.0.0/4", "reserved", Deny::non_public},
    Block{"::1/128", "loopback", Deny::non_public},
    Block{"fc00::/7", "private", Deny::non_public},
    Block{"fec0::/10", "former site-local", Deny::non_public},
    Block{"64:ff9b:1::/48", "local translation to IPv4", Deny::non_public},
    Block{"100::/64", "discarded", Deny::non_public},
    Block{"2001::/23", "protocol assignments", Deny::non_public},
    Block{"2001:db8::/32", "documentation", Deny::non_public},
    Block{"3fff::/20", "documentation", Deny::non_public},
    Block{"5f00::/16", "segment routing", Deny::non_public},
    Block{"::/3", "not public", Deny::non_public},
    Block{"4000::/2", "not public", Deny::non_public},
    Block{"8000::/1", "not public", Deny::non_public},
};

// Boost's categories have no virtual destructor, as nobody destroys one by its base.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

/// Values count the blocks from 1.
class EgressCategory final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "egress"; }
    std::string message(int value) const override {
        const Block& block = blocks.at(static_cast<std::size_t>(value - 1));
        std::string text("egress.deny refuses the address, which is in ");
        return text.append(block.cidr).append(" (").append(block.what).append(")");
    }
};

#pragma GCC diagnostic pop

const EgressCategory& egress_category() {
    static const EgressCategory category;
    return category;
}

/// As hosts compare: without case, and without the dot that a rooted name ends in.
std::string normal_host(std::string_view text) {
    std::string host(text);
    boost::algorithm::to_lower(host, std::locale::classic());
    if (host.size() > 1 && host.back() == '.') host.pop_back();
    return host;
}

template <class T>
std::string joined(const std::vector<T>& items, std::string (*text)(const T&)) {
    std::string all;
    for (const T& item : items) all.append(all.empty() ? "" : ", ").append(text(item));
    return all;
}

}  // namespace

Result<EgressPolicyPtr> EgressPolicy::make(const EgressOptions& options) {
    const std::shared_ptr<EgressPolicy> policy(new EgressPolicy(options));
    for (const std::string& text : options.allow) {
        const Result<Cidr> cidr = Cidr::parse(text);
        if (cidr.has_error()) return Error("\"" + text + "\" " + cidr.error().message());
        policy->allowed_.push_back(*cidr);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (options.deny == Deny::none || blocks[i].least > options.deny) continue;
        const Result<Cidr> block = Cidr::parse(blocks[i].cidr);
        assert(block.has_value());
        policy->denied_.push_back({*block, static_cast<int>(i) + 1});
    }
    return EgressPolicyPtr(policy);
}

bool EgressPolicy::is_allowed(const net::ip::address& address) const noexcept {
    return std::any_of(allowed_.begin(), allowed_.end(),
                       [&](const Cidr& cidr) { return cidr.contains(address); });
}

error_code EgressPolicy::check_as_it_is(const net::ip::address& address) const noexcept {
    for (const Denied& denied : denied_) {
        if (denied.block.contains(address)) return {denied.number, egress_category()};
    }
    return {};
}

error_code EgressPolicy::check(const net::ip::address& address) const {
    if (denied_.empty() || is_allowed(address)) return {};
    if (address.is_v4()) return check_as_it_is(address);

    const EmbeddedV4 embedded = find_embedded_v4(address.to_v6());
    for (const net::ip::address_v4& inner : embedded.addresses) {
        const error_code error = is_allowed(inner) ? error_code() : check_as_it_is(inner);
        if (error) return error;
    }
    return embedded.is_all ? error_code() : check_as_it_is(address);
}

std::optional<std::string> EgressPolicy::check(const Url& url) const {
    if (options_.https_only && !url.is_tls()) {
        return "is plain HTTP, which egress.https_only refuses; expected an https URL";
    }
    const std::vector<std::uint16_t>& ports = options_.ports;
    if (!ports.empty() && std::find(ports.begin(), ports.end(), url.port) == ports.end()) {
        return "has a port that is not in egress.ports; expected one of " +
               joined<std::uint16_t>(ports, [](const auto& port) { return std::to_string(port); });
    }
    const std::string host = normal_host(url.host);
    const auto fits = [&](const std::string& glob) {
        return matches_glob(normal_host(glob), host);
    };
    const std::vector<std::string>& hosts = options_.hosts;
    if (hosts.empty() || std::any_of(hosts.begin(), hosts.end(), fits)) return std::nullopt;
    return "has a host that is not in egress.hosts; expected one that fits " +
           joined<std::string>(hosts, [](const auto& glob) { return "\"" + glob + "\""; });
}

std::optional<net::ip::address> literal_address(const std::string& host) {
    // Whoever resolves the name may take the dot off, as it is the same name.
    const std::string text = normal_host(host);
    error_code error;
    const net::ip::address address = net::ip::make_address(text, error);
    if (!error) return address;
    in_addr numeric{};
    if (::inet_aton(text.c_str(), &numeric) == 0) return std::nullopt;
    return net::ip::address_v4(ntohl(numeric.s_addr));
}

awaitable<Connected> GuardedConnector::connect(ConnectTarget target) {
    Connected connected;
    connected.error = refusal(target.address);
    if (connected.error) {
        connected.reason = Reason::blocked;
        co_return connected;
    }
    connected = co_await connector_.connect(std::move(target));
    co_return connected;
}

}  // namespace fanfare
