#include "server/admin/own_host.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "fanfare/clock.h"

namespace fanfare {
namespace {

/// `authority` without the port, and without the brackets of an IPv6 address.
std::string_view host_in(std::string_view authority) {
    const std::size_t bracket = authority.find(']');
    if (authority.starts_with('[') && bracket != std::string_view::npos) {
        return authority.substr(1, bracket - 1);
    }
    return authority.substr(0, authority.find(':'));
}

bool is_address(std::string_view host) {
    boost::system::error_code error;
    net::ip::make_address(std::string(host), error);
    return !error;
}

}  // namespace

bool is_for_own_host(const RequestHead& head, std::span<const std::string> listen) {
    const auto field = head.find(FieldName::host);
    if (!field) return false;
    const std::string_view host = host_in(*field);
    if (equals_ignoring_case(host, "localhost") || is_address(host)) return true;
    return std::any_of(listen.begin(), listen.end(), [host](const std::string& address) {
        return !address.starts_with("unix:") && equals_ignoring_case(host_in(address), host);
    });
}

}  // namespace fanfare
