#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <string_view>

#include "fanfare/clock.h"
#include "fanfare/error.h"

namespace fanfare {

/// A block of addresses, `10.0.0.0/8` or `fd00::/8`. An IPv4-mapped IPv6 address counts as the
/// IPv4 address that it is.
class Cidr {
  public:
    /// An address alone is a block of one. Refuses bits beyond the prefix.
    static Result<Cidr> parse(std::string_view text);

    bool contains(const net::ip::address& address) const noexcept;

    bool operator==(const Cidr&) const = default;

  private:
    using Bytes = net::ip::address_v6::bytes_type;

    /// All addresses in one form: IPv4 ones are mapped.
    static Bytes bytes_of(const net::ip::address& address) noexcept;

    Bytes bytes_{};
    unsigned prefix_bits_ = 0;  // of 128
    bool is_v4_ = false;
};

}  // namespace fanfare
