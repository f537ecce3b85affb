// A daemon that works off a queue together with others.
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "app.h"
#include "base/units.h"
#include "config/config_text.h"
#include "config/effective.h"
#include "runtime/shared_queue.h"

namespace fanfare {
namespace {

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// Its endpoints, each with a hash of what is in effect for it; secrets take no part in that.
std::vector<FleetEndpoint> fleet_endpoints(const Config& config) {
    std::map<std::string, std::string> hashes;
    const auto effective = nlohmann::json::parse(effective_config(config));
    for (const auto& endpoint : effective.at("endpoints")) {
        hashes[endpoint.at("name").get<std::string>()] = hash_of(endpoint.dump());
    }
    std::vector<FleetEndpoint> endpoints;
    for (const EndpointConfig& endpoint : config.endpoints) {
        if (endpoint.disabled) continue;
        endpoints.push_back({endpoint.name, hashes[endpoint.name], endpoint.http.timeout});
    }
    return endpoints;
}

/// What a process asks of the streams that all share, by the keys of its configuration.
FleetSettings queue_settings(const Config& config) {
    const NatsOptions& nats = config.storage.nats;
    return {{"queue.replicas", std::to_string(nats.replicas)},
            {"queue.max_bytes", format_size(nats.bytes_max)},
            {"queue.max_age", format_duration(nats.max_age)},
            {"queue.duplicate_window", format_duration(nats.duplicate_window)},
            {"dead_letters.max_bytes", format_size(config.dead_letters.bytes_max)}};
}

bool is_partitioned(const EndpointOptions& options) {
    return options.max_in_flight > 1 && !options.order_by.empty();
}

}  // namespace

/// Another form of its place takes a new queue.
bool App::needs_other_place(const EndpointOptions& options) const {
    if (!shared_) return false;
    const auto found = partitioned_.find(options.name);
    return found != partitioned_.end() && found->second != is_partitioned(options);
}

void App::open_shared_store() {
    if (!config_.storage.is_shared()) return;
    shared_ = SharedStore::open(config_, clock_, log_);
    times_ = std::make_unique<SteadyWall>(clock_);
    broadcaster_.keep_in(shared_->events(), *times_);
    fleet_ = std::make_unique<Fleet>(shared_->board(), broadcaster_, admin_loop_.shard,
                                     Fleet::Self{instance_, host_name(), identity_.build.version});
}

/// After all else is there: others begin to hear of this process, and readers of events.
void App::join_fleet() {
    if (!shared_) return;
    follow_log(config_.history);
    fleet_->take(fleet_endpoints(config_), queue_settings(config_));
    fleet_->keep_places(shared_->events(), config_.storage.removed_grace);
}

/// From when history is wanted. Every process reads every event for it, so it is not read for none.
void App::follow_log(const HistoryOptions& history) {
    if (feed_ || history.capacity == 0) return;
    feed_ = std::make_unique<HistoryFeed>(*history_, log_, [this](const std::string& log_id) {
        net::post(admin_loop_.shard.executor(),
                  [this, instance = instance_of(log_id)] { streams_->begin_anew(instance); });
    });
    feed_->start(shared_->events());
}

void App::tell_fleet(const Config& config) {
    if (!shared_) return;
    shared_->change(config);
    follow_log(config.history);
    fleet_->take(fleet_endpoints(config), queue_settings(config));
}

DeadLetters* App::dead_letters() const noexcept {
    if (shared_) return &shared_->dead_letters();
    return dead_letters_.get();
}

void App::give_shared_queues(std::vector<EndpointOptions>& endpoints) {
    if (!shared_) return;
    for (EndpointOptions& options : endpoints) {
        ConsumerOptions wanted;
        wanted.endpoint = options.name;
        wanted.in_flight_max = options.max_in_flight;
        wanted.is_partitioned = is_partitioned(options);
        partitioned_[options.name] = wanted.is_partitioned;
        options.queue = std::make_unique<SharedQueue>(shared_->events(), home_of(options.name),
                                                      *times_, std::move(wanted));
    }
}

}  // namespace fanfare
