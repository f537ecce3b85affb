#include <utility>

#include "runtime/endpoint_impl.h"

namespace fanfare {
namespace {

/// What a queue in memory depends on.
std::pair<bool, std::string> order_of(const EndpointOptions& options) {
    const bool is_strict = options.max_in_flight == 1;
    return {is_strict, is_strict ? std::string() : options.order_by};
}

}  // namespace

void Endpoint::Impl::reconfigure(EndpointOptions options) {
    if (state_ != State::running) return;
    take_settings(with_defaults(std::move(options)));
    ++settings_;
    const bool was_gone = is_gone_.exchange(false);
    if (was_gone && options_.holds != nullptr) options_.holds->back(options_.name);
    queue_->release_held();
    // Every worker sees for itself what has become of it, and of its sink.
    while (worker_count_ < options_.max_in_flight) spawn_worker(Tool());
    is_held_ = false;
    wake_all();
    begin_trim();
}

/// All but the name, which sinks and log lines refer to, and what an endpoint is made of once.
void Endpoint::Impl::take_settings(EndpointOptions options) {
    if (order_of(options) != order_of(options_)) must_remake_queue_ = true;
    options_.max_in_flight = options.max_in_flight;
    queue_->set_in_flight_max(options.max_in_flight);
    options_.asks_for_meta = options.asks_for_meta;
    options_.batch = options.batch;
    options_.order_by = std::move(options.order_by);
    options_.bounds = options.bounds;
    meter_.turn(options_.bounds.overflow == Overflow::reject);
    meter_.publish(*queue_);
    options_.retry = std::move(options.retry);
    options_.filter = std::move(options.filter);
    options_.make_sink = std::move(options.make_sink);
    options_.dead_letters = options.dead_letters;
    gate_.replace(std::move(options.strategy));
    if (options_.batch.events_max > 1 && !metrics_.batches()) metrics_.count_batches();
}

void Endpoint::Impl::remake_queue() {
    std::unique_ptr<Queue> queue = make_queue(options_);
    must_remake_queue_ = false;
    if (has_own_queue_) return queue_->set_order(std::move(queue));
    move_events(*queue_, *queue);
    queue_ = std::move(queue);
}

void Endpoint::Impl::renew(Tool& tool) {
    tool.sink = options_.make_sink(sink_context());
    tool.settings = settings_;
}

/// Whether the worker that asks is to leave, as fewer are wanted now. What it was woken for is then
/// somebody else's.
bool Endpoint::Impl::is_one_too_many() {
    if (worker_count_ <= options_.max_in_flight) return false;
    --worker_count_;
    wake_one();
    return true;
}

}  // namespace fanfare
