#include "descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "app.h"
#include "server/http_server.h"

namespace fanfare {
namespace {

/// Standard streams, signals, name lookups, files that are being read.
constexpr std::size_t descriptors_of_its_own = 24;
/// What Asio opens for each event loop: epoll, a timer, and an event to wake it by.
constexpr std::size_t descriptors_per_loop = 3;
constexpr std::size_t admin_connections_least = 16;

std::size_t minus(std::size_t all, std::size_t part) { return all > part ? all - part : 0; }

/// With those that are told at the same time that there are too many.
std::size_t with_turned_away(std::size_t connections) {
    return connections + turned_away_max(connections);
}

/// Of how many connections with_turned_away() is at most `descriptors`; 1 at least.
std::size_t connections_out_of(std::size_t descriptors) {
    return std::max<std::size_t>(minus(descriptors, turned_away_max(descriptors)), 1);
}

/// Everything but the connections of listeners.
std::size_t kept_descriptors(const Config& config, std::size_t all) {
    std::size_t deliveries = 0;
    for (const EndpointConfig& endpoint : config.endpoints) {
        if (!endpoint.disabled) deliveries += endpoint.max_in_flight;
    }
    const std::size_t listening =
        config.ingest.listener.listen.size() + config.admin.listener.listen.size();
    return descriptors_of_its_own + descriptors_per_loop * loop_count(config) + listening +
           std::min<std::size_t>(deliveries, all / 4);
}

}  // namespace

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    const bool is_raised = ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
    return is_raised ? limit.rlim_cur : before;
}

void share_descriptors(Config& config, std::size_t all, Log& log) {
    std::size_t& ingest = config.ingest.listener.connections_max;
    std::size_t& admin = config.admin.listener.connections_max;
    const std::size_t for_listeners = minus(all, kept_descriptors(config, all));
    const std::size_t for_admin = with_turned_away(std::min(admin, admin_connections_least));
    const std::size_t for_ingest = minus(for_listeners, for_admin);
    if (with_turned_away(ingest) > for_ingest) {
        const std::size_t left = std::min(ingest, connections_out_of(for_ingest));
        log.warn("daemon", "fewer connections than configured, as descriptors are limited",
                 {{"max_connections", left}, {"configured", ingest}, {"descriptors", all}});
        ingest = left;
    }
    const std::size_t rest = minus(for_listeners, with_turned_away(ingest));
    admin = std::min(admin, std::max(connections_out_of(rest), admin_connections_least));
}

}  // namespace fanfare
