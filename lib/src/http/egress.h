#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fanfare/egress.h"
#include "http/cidr.h"
#include "http/connector.h"
#include "http/url.h"

namespace fanfare {

/// Decides where deliveries may go. Never changes; any thread.
class EgressPolicy {
  public:
    /// An Error tells of a CIDR or glob that is none.
    static Result<std::shared_ptr<const EgressPolicy>> make(const EgressOptions& options);

    /// Why nothing may connect to `address`; no error: it may. An IPv6 address that leads to an
    /// IPv4 one is judged by that, too. Its message says which block it is in.
    error_code check(const net::ip::address& address) const;

    /// What the URL alone tells (scheme, host, port), with what was expected; nothing if it is
    /// fine. The text never shows the URL.
    std::optional<std::string> check(const Url& url) const;

  private:
    explicit EgressPolicy(const EgressOptions& options) : options_(options) {}

    bool is_allowed(const net::ip::address& address) const noexcept;
    error_code check_as_it_is(const net::ip::address& address) const noexcept;

    struct Denied {
        Cidr block;
        int number;  ///< of the message
    };

    const EgressOptions options_;
    std::vector<Cidr> allowed_;
    std::vector<Denied> denied_;
};

using EgressPolicyPtr = std::shared_ptr<const EgressPolicy>;

/// The address that a URL's host is, also in a spelling such as `0x7f.1` or `2130706433`, which
/// the system's resolver takes for one, and with the dot that a rooted name ends in; nothing if it
/// is a name.
std::optional<net::ip::address> literal_address(const std::string& host);

/// Connects only where the policy lets it: looks at each address right before it is connected to.
class GuardedConnector final : public Connector {
  public:
    /// `connector` must outlive it.
    GuardedConnector(EgressPolicyPtr policy, Connector& connector)
        : policy_(std::move(policy)), connector_(connector) {}

    error_code refusal(const net::ip::address& address) const override {
        return policy_->check(address);
    }
    awaitable<Connected> connect(ConnectTarget target) override;

  private:
    const EgressPolicyPtr policy_;
    Connector& connector_;
};

}  // namespace fanfare
