#include "http/lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>

namespace fanfare {
namespace {

struct AddressesDeleter {
    void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

error_code error_of(int status, int system_error) {
    switch (status) {
        case EAI_NONAME:
        case EAI_NODATA:
            return net::error::host_not_found;
        case EAI_AGAIN:
            return net::error::host_not_found_try_again;
        case EAI_MEMORY:
            return net::error::no_memory;
        case EAI_SYSTEM:
            return {system_error, boost::system::system_category()};
        default:
            return net::error::no_recovery;
    }
}

}  // namespace

Resolved lookup_host(const std::string& host) {
    addrinfo hints{};
    // Without AI_ADDRCONFIG, which finds nothing on a machine that has only a loopback device.
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    const std::unique_ptr<addrinfo, AddressesDeleter> list(found);

    Resolved resolved;
    if (status != 0) {
        resolved.error = error_of(status, errno);
        return resolved;
    }
    for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
        net::ip::tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
        const net::ip::address address = endpoint.address();
        const bool is_known = std::find(resolved.addresses.begin(), resolved.addresses.end(),
                                        address) != resolved.addresses.end();
        if (!is_known) resolved.addresses.push_back(address);
    }
    if (resolved.addresses.empty()) resolved.error = net::error::host_not_found;
    return resolved;
}

}  // namespace fanfare
