#include "sim/daemon.h"

#include <array>
#include <functional>
#include <utility>

#include "event/json_lookup.h"
#include "runtime/durable_queue.h"
#include "sim/sinks.h"

namespace fanfare::sim {
namespace {

/// Lines that tell of a failure of the machinery itself.
constexpr std::array<std::string_view, 4> bad_lines = {"something failed, will go on",
                                                       "command failed", "offering an event failed",
                                                       "draining failed"};

std::uint64_t key_of(const Event& event) {
    JsonLookup lookup(event.payload());
    return std::hash<std::string_view>()(lookup.find(Plan::key_pointer).text);
}

}  // namespace

Daemon::Daemon(const Options& options)
    : options_(options),
      stepping_clock_(options.clock),
      times_(options.clock),
      log_(LogOptions{options.web.story.is_verbose() ? LogLevel::debug : LogLevel::error,
                      LogFormat::text},
           [this](std::string_view line) { take_log_line(line); }),
      web_(std::make_unique<Web>(options.web)) {
    Clock* clock = &options_.clock;
    if (is(Sabotage::clock_steps)) clock = &stepping_clock_;
    std::vector<Shard*> shards;
    for (unsigned i = 0; i < options.shards; ++i) {
        shards.push_back(&shards_.emplace_back(context_, *clock, log_));
    }
    broadcaster_ = std::make_unique<Broadcaster>(std::move(shards));
    if (options.store == nullptr) return;
    const auto on_broken = [this](const std::string&) { options_.on_broken(); };
    journal_ = std::make_unique<Journal>(*options.store, context_.get_executor(), options.clock,
                                         on_broken);
    broadcaster_->keep_in(*journal_, times_, options.store->last_seq());
}

void Daemon::take_log_line(std::string_view line) {
    Story& story = options_.web.story;
    if (story.is_verbose()) story.tell("    log: ", line);
    for (const std::string_view bad : bad_lines) {
        if (line.find(bad) != std::string_view::npos) story.fail("it logged: ", line);
    }
}

std::shared_ptr<Endpoint> Daemon::make_endpoint(const Plan& plan, Ledger& ledger) {
    Shard& shard = shards_.at(std::hash<std::string>()(plan.name) % shards_.size());
    EndpointOptions options = endpoint_options(plan, ledger);
    const bool is_broken = is(Sabotage::queue_loses) || is(Sabotage::queue_swaps);
    if (plan.has_queue_of_own || is_broken) options.queue = make_queue(plan);
    if (options_.store != nullptr) place(options, plan, shard);
    return std::make_shared<Endpoint>(shard, std::move(options));
}

/// As the daemon does: its place is the one that its name had.
void Daemon::place(EndpointOptions& options, const Plan& plan, Shard& shard) {
    DurableQueue::Place place;
    place.endpoint = options_.store->open_endpoint(plan.name);
    for (const StoredEndpoint& endpoint : options_.store->endpoints()) {
        if (endpoint.id != place.endpoint) continue;
        place.pending = endpoint.pending;
        place.oldest_at = endpoint.oldest_at;
    }
    place.last_seq = options_.store->last_seq();
    DurableQueue::Window window;
    window.events_max = plan.window_events;
    options.store_id = place.endpoint;
    options.queue = std::make_unique<DurableQueue>(*journal_, shard, times_, place, window);
}

EndpointOptions Daemon::endpoint_options(const Plan& plan, Ledger& ledger) {
    EndpointOptions options;
    options.name = plan.name;
    options.max_in_flight = plan.max_in_flight;
    options.batch = plan.batch;
    if (plan.is_ordered_by_key) options.order_by = Plan::key_pointer;
    options.retry = plan.retry;
    options.filter = std::make_shared<WatchedFilter>(plan, plan.is_durable ? nullptr : &ledger);
    if (is(Sabotage::breaker_naps)) options.strategy = broken_breaker(plan.retry, 1.5);
    if (is(Sabotage::breaker_hurries)) options.strategy = broken_breaker(plan.retry, 0.5);
    options.make_sink = make_sink(plan, ledger);
    options.random_seed = plan.random_seed;
    if (!plan.has_letters) return options;
    options.dead_letters = &ledger;
    if (is(Sabotage::letters_lost)) {
        boxes_.push_back(losing_box(ledger, options_.sabotage_random));
        options.dead_letters = boxes_.back().get();
    }
    return options;
}

std::unique_ptr<Queue> Daemon::make_queue(const Plan& plan) {
    std::unique_ptr<Queue> queue;
    switch (plan.order()) {
        case Order::strict:
            queue = std::make_unique<MemoryQueue>();
            break;
        case Order::free:
            queue = std::make_unique<MemoryQueue>(MemoryQueue::Order::free);
            break;
        case Order::keyed:
            queue = std::make_unique<KeyedQueue>(key_of);
            break;
    }
    const bool is_broken = is(Sabotage::queue_loses) || is(Sabotage::queue_swaps);
    if (!is_broken) return queue;
    return broken_queue(std::move(queue), options_.sabotage, options_.sabotage_random);
}

SinkMaker Daemon::make_sink(const Plan& plan, Ledger& ledger) {
    SinkMaker make_next;
    if (plan.is_http) {
        HttpSinkOptions http;
        http.url = Web::url(plan.receiver);
        http.format = plan.format;
        http.timeout = plan.timeout;
        http.instance = "sim";
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(plan.timeout);
        http.headers = {{"Sim-Timeout", std::to_string(ms.count())},
                        {"Sim-Endpoint", plan.name + " " + std::string(to_string(plan.format))}};
        test::FakeNetwork& network = web_->network();
        make_next = *make_http_sink_maker(std::move(http), network, network);
    } else {
        Receiver& receiver = options_.web.receivers.at(plan.receiver);
        Random& random = options_.web.random;
        make_next = [plan, &receiver, &random](const SinkContext& context) {
            return std::make_unique<DirectSink>(
                DirectSink::Options{receiver, context.clock, random, plan.timeout, plan.may_throw});
        };
    }
    return [this, make_next, &ledger](const SinkContext& context) {
        std::unique_ptr<Sink> sink = std::make_unique<WatchedSink>(make_next(context), ledger);
        if (is(Sabotage::sink_repeats)) {
            sink = repeating_sink(std::move(sink), options_.sabotage_random);
        }
        return sink;
    };
}

}  // namespace fanfare::sim
