#include "http/cidr.h"

#include <charconv>
#include <optional>
#include <string>

namespace fanfare {
namespace {

constexpr unsigned mapped_bits = 96;  // in front of an IPv4 address that is mapped

bool is_v4(const net::ip::address& address) {
    return address.is_v4() || address.to_v6().is_v4_mapped();
}

std::optional<unsigned> whole_number(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(value) : std::nullopt;
}

/// What remains of byte `index` of an address under a prefix of `bits`.
unsigned char mask(std::size_t index, unsigned bits) {
    const unsigned begin = static_cast<unsigned>(index) * 8;
    if (bits >= begin + 8) return 0xff;
    if (bits <= begin) return 0;
    return static_cast<unsigned char>(0xff << (begin + 8 - bits));
}

}  // namespace

Cidr::Bytes Cidr::bytes_of(const net::ip::address& address) noexcept {
    if (address.is_v6()) return address.to_v6().to_bytes();
    return net::ip::make_address_v6(net::ip::v4_mapped, address.to_v4()).to_bytes();
}

Result<Cidr> Cidr::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view address_text = text.substr(0, slash);
    error_code error;
    const net::ip::address address = net::ip::make_address(std::string(address_text), error);
    const bool has_zone = address_text.find('%') != std::string_view::npos;
    if (error || has_zone) return Error("is no CIDR; expected one such as 10.0.0.0/8 or fd00::/8");

    const unsigned bits_max = address.is_v4() ? 32 : 128;
    const std::optional<unsigned> bits =
        slash == std::string_view::npos ? bits_max : whole_number(text.substr(slash + 1));
    if (!bits || *bits > bits_max) {
        return Error("has a bad prefix length; expected 0 to " + std::to_string(bits_max));
    }
    Cidr cidr;
    cidr.bytes_ = bytes_of(address);
    cidr.prefix_bits_ = address.is_v4() ? *bits + mapped_bits : *bits;
    cidr.is_v4_ = is_v4(address) && cidr.prefix_bits_ >= mapped_bits;
    for (std::size_t i = 0; i < cidr.bytes_.size(); ++i) {
        if ((cidr.bytes_[i] & ~mask(i, cidr.prefix_bits_)) == 0) continue;
        return Error("has bits set beyond its prefix; expected the first address of the block");
    }
    return cidr;
}

bool Cidr::contains(const net::ip::address& address) const noexcept {
    if (is_v4(address) != is_v4_) return false;
    const Bytes bytes = bytes_of(address);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if ((bytes[i] & mask(i, prefix_bits_)) != bytes_[i]) return false;
    }
    return true;
}

}  // namespace fanfare
