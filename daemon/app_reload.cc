#include <algorithm>
#include <set>
#include <thread>

#include "app.h"
#include "config/effective.h"

namespace fanfare {
namespace {

using Names = std::set<std::string_view>;

/// How long the end of an endpoint may take beyond its drain time, and how often it is looked at.
constexpr Duration leave_limit = std::chrono::seconds(1);
constexpr Duration leave_poll = std::chrono::milliseconds(5);

Names names_of(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

}  // namespace

void App::follow(Reloader::Start start) {
    reloader_ = std::make_unique<Reloader>(
        std::move(start), [this](const ConfigChange& change) { return apply(change); }, clock_,
        log_);
    reloader_->on_outcome([this](const ReloadOutcome& outcome) { announce_outcome(outcome); });
}

/// To be told as an event.
void App::announce_outcome(const ReloadOutcome& outcome) {
    if (outcome.result == ReloadResult::ok) {
        const ConfigDiff& diff = outcome.diff;
        meta_->config_reloaded({diff.added, diff.changed, diff.removed, diff.unchanged.size(),
                                diff.settings, diff.needs_restart, outcome.hash});
    } else if (outcome.result == ReloadResult::rejected) {
        std::vector<std::string> texts;
        for (const ConfigError& error : outcome.errors) {
            if (texts.size() == MetaEvents::problems_max) break;
            texts.push_back(error.text());
        }
        meta_->config_rejected({outcome.errors.size(), texts, outcome.hash});
    }
}

void App::reload() {
    if (reloader_) reloader_->insist();
}

EndpointParts App::parts() {
    return {.instance = instance_,
            .resolver = resolver_,
            .connector = connector_,
            .log = log_,
            .dead_letters = dead_letters(),
            .news = meta_.get(),
            .holds = fleet_.get(),
            .first_hold = fleet_ ? Fleet::first_hold : Duration::zero()};
}

/// The shard that has the fewest, unless it has one already.
Shard& App::home_of(const std::string& endpoint) {
    const auto found = homes_.find(endpoint);
    if (found != homes_.end()) return *found->second;
    std::map<Shard*, std::size_t> load;
    for (const auto& entry : homes_) ++load[entry.second];
    Shard* const home = *std::min_element(shards_.begin(), shards_.end(),
                                          [&](Shard* a, Shard* b) { return load[a] < load[b]; });
    homes_[endpoint] = home;
    return *home;
}

std::shared_ptr<Endpoint> App::make_endpoint(EndpointOptions options) {
    Shard& home = home_of(options.name);
    return std::make_shared<Endpoint>(home, std::move(options));
}

/// Of a name that comes back: what its durable queue had under way is to be settled before it is
/// opened again, or it would be sent twice.
void App::wait_for_end_of(const std::string& endpoint) {
    const auto leaving = leaving_.find(endpoint);
    if (leaving == leaving_.end()) return;
    const TimePoint deadline = clock_.now() + drain_limit_.load() + leave_limit;
    while ((storage_ || shared_) && !leaving->second.expired() && clock_.now() < deadline) {
        std::this_thread::sleep_for(leave_poll);
    }
    leaving_.erase(leaving);
}

/// Everything that can fail comes first.
std::vector<ConfigError> App::apply(const ConfigChange& change) {
    const std::vector<std::string>& restart = change.diff.needs_restart;
    if (std::find(restart.begin(), restart.end(), "queue.storage") != restart.end()) {
        // What endpoints are given by default depends on it.
        return {{change.file, 0, 0, "queue.storage",
                 "differs from the one in use; expected a restart of the daemon"}};
    }
    const Names added = names_of(change.diff.added);
    const Names changed = names_of(change.diff.changed);
    std::vector<EndpointOptions> to_be_added;
    EndpointChanges changes;
    std::vector<ConfigError> errors;
    for (std::size_t i = 0; i < change.config.endpoints.size(); ++i) {
        const EndpointConfig& endpoint = change.config.endpoints[i];
        const bool is_new = added.contains(endpoint.name);
        if (!is_new && !changed.contains(endpoint.name)) continue;
        Result<EndpointOptions> options = make_options(endpoint, parts());
        if (options.has_error()) {
            errors.push_back(
                endpoint_error(change.source, change.file, i, options.error().message()));
        } else if (!is_new && needs_other_place(*options)) {
            errors.push_back(endpoint_error(
                change.source, change.file, i,
                "has an order of another kind now; expected a restart of the daemon for that"));
        } else {
            (is_new ? to_be_added : changes.changed).push_back(std::move(*options));
        }
    }
    if (!errors.empty()) return errors;
    for (const EndpointOptions& options : to_be_added) wait_for_end_of(options.name);
    const Result<void> placed = give_places(to_be_added);
    if (!placed) return {{change.file, 0, 0, {}, placed.error().message()}};

    for (const std::string& name : change.diff.removed) leaving_[name] = broadcaster_.find(name);
    changes.removed = change.diff.removed;
    changes.drain = change.config.shutdown_drain;
    for (const std::string& name : changes.removed) homes_.erase(name);
    for (EndpointOptions& options : to_be_added) {
        changes.added.push_back(make_endpoint(std::move(options)));
    }
    if (!broadcaster_.apply(std::move(changes))) {
        return {{change.file, 0, 0, {}, "not taken over, as the daemon is about to end"}};
    }
    if (storage_) storage_->remove_endpoints(change.diff.removed);
    take_over(change);
    return {};
}

void App::resize_history(const HistoryOptions& options) {
    if (history_->options() == options) return;
    const std::uint64_t before = history_->range().lowest;
    history_->resize(options);
    log_.info("history", "history resized",
              {{"capacity", options.capacity},
               {"lowest_before", before},
               {"lowest", history_->range().lowest}});
}

/// All but the endpoints.
void App::take_over(const ConfigChange& change) {
    const Names unchanged = names_of(change.diff.unchanged);
    log_.set_level(change.config.log.level);
    meta_->take(change.config.meta);
    drain_limit_ = change.config.shutdown_drain;
    resize_history(change.config.history);
    tell_fleet(change.config);
    streams_->set_options(change.config.streams);
    ShownConfig shown;
    const auto& groups = change.config.action_groups;
    shown.action_groups.insert(groups.begin(), groups.end());
    for (const EndpointConfig& endpoint : change.config.endpoints) {
        shown.endpoints.push_back(describe(endpoint));
        if (!unchanged.contains(endpoint.name)) warn_of(endpoint, log_);
    }
    shown.text = effective_config(taken_over(config_, change.config));
    admin_->show(std::move(shown));
}

}  // namespace fanfare
