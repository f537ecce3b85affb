#include "http/embedded_v4.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace fanfare {
namespace {

using Bytes = net::ip::address_v6::bytes_type;
using V4 = net::ip::address_v4;

/// The first bytes of addresses of one kind.
template <std::size_t size>
bool begins_with(const Bytes& bytes, const std::array<std::uint8_t, size>& prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

constexpr std::array<std::uint8_t, 12> compatible = {};
constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> translated = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0};
constexpr std::array<std::uint8_t, 12> nat64 = {0, 0x64, 0xff, 0x9b};
constexpr std::array<std::uint8_t, 6> local_nat64 = {0, 0x64, 0xff, 0x9b, 0, 1};
constexpr std::array<std::uint8_t, 2> six_to_four = {0x20, 0x02};
constexpr std::array<std::uint8_t, 4> teredo = {0x20, 0x01, 0, 0};

/// The IPv4 address whose bytes stand at these places.
V4 pick(const Bytes& bytes, const std::array<std::size_t, 4>& places) {
    V4::bytes_type picked;
    for (std::size_t i = 0; i < places.size(); ++i) picked[i] = bytes[places[i]];
    return V4(picked);
}

/// Within the local prefix every length is allowed that RFC 6052 knows (byte 8 stays out of all),
/// and only the network's owner knows which it is. What is all zero is none.
std::vector<V4> from_local_nat64(const Bytes& bytes) {
    constexpr std::array<std::array<std::size_t, 4>, 4> forms = {
        {{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}, {12, 13, 14, 15}}};
    std::vector<V4> found;
    for (const std::array<std::size_t, 4>& form : forms) {
        const V4 address = pick(bytes, form);
        if (!address.is_unspecified()) found.push_back(address);
    }
    if (found.empty()) found.emplace_back();
    return found;
}

/// The server, and the client behind its own translator, whose address stands there inverted.
std::vector<V4> from_teredo(const Bytes& bytes) {
    const V4 client(~pick(bytes, {12, 13, 14, 15}).to_uint());
    return {pick(bytes, {4, 5, 6, 7}), client};
}

}  // namespace

EmbeddedV4 find_embedded_v4(const net::ip::address_v6& address) {
    constexpr std::array<std::size_t, 4> last = {12, 13, 14, 15};
    const Bytes bytes = address.to_bytes();
    if (begins_with(bytes, mapped) || begins_with(bytes, nat64)) {
        return {{pick(bytes, last)}, true};
    }
    if (begins_with(bytes, six_to_four)) return {{pick(bytes, {2, 3, 4, 5})}, true};
    if (begins_with(bytes, translated)) return {{pick(bytes, last)}, false};
    if (begins_with(bytes, local_nat64)) return {from_local_nat64(bytes), false};
    if (begins_with(bytes, teredo)) return {from_teredo(bytes), false};
    const bool is_compatible =
        begins_with(bytes, compatible) && !address.is_loopback() && !address.is_unspecified();
    if (is_compatible) return {{pick(bytes, last)}, false};
    return {};
}

}  // namespace fanfare
