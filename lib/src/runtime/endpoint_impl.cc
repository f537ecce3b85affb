#include "runtime/endpoint_impl.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>

#include "base/exceptions.h"
#include "event/json_lookup.h"

namespace fanfare {
namespace {

/// Events that have nothing at `pointer` share a key, and so keep their order.
std::uint64_t key_of(const std::string& pointer, const Event& event) {
    JsonLookup lookup(event.payload());
    const JsonValue value = lookup.find(pointer);
    return std::hash<std::string_view>()(value.text) + static_cast<std::uint64_t>(value.kind);
}

}  // namespace

std::unique_ptr<Queue> make_queue(const EndpointOptions& options) {
    if (options.max_in_flight == 1) return std::make_unique<MemoryQueue>();
    if (options.order_by.empty()) return std::make_unique<MemoryQueue>(MemoryQueue::Order::free);
    return std::make_unique<KeyedQueue>(
        [pointer = options.order_by](const Event& event) { return key_of(pointer, event); });
}

EndpointOptions with_defaults(EndpointOptions options) {
    assert(options.make_sink);
    options.max_in_flight = std::clamp(options.max_in_flight, 1U, 1024U);
    if (!options.strategy) options.strategy = make_strategy(options.retry);
    if (options.random_seed == 0) options.random_seed = std::random_device{}();
    return options;
}

Endpoint::Impl::Held::Held(Queue& queue, Lease leased, Load& under_way)
    : lease(std::move(leased)), queue_(queue), under_way_(under_way), load_(load_of(batch())) {
    under_way_ += load_;
}

void Endpoint::Impl::Held::release() noexcept {
    under_way_ -= load_;
    load_ = {};
}

void Endpoint::Impl::Held::settle(Settle how) {
    release();
    queue_.settle(std::exchange(lease, Lease()), how);
}

Endpoint::Impl::LetGo Endpoint::Impl::Held::settle_later() {
    release();
    return queue_.settle_later(std::exchange(lease, Lease()));
}

Endpoint::Impl::Held::~Held() {
    release();
    if (lease.is_empty()) return;
    try {
        settle(Settle::give_back);
    } catch (...) {
        // There is no memory even for that: the queue's counts show it as under way for ever.
    }
}

Endpoint::Impl::Impl(Shard& shard, EndpointOptions options, Room& room)
    : shard_(shard),
      options_(with_defaults(std::move(options))),
      has_own_queue_(options_.queue != nullptr),
      queue_(has_own_queue_ ? std::move(options_.queue) : make_queue(options_)),
      is_shared_(queue_->shared().has_value()),
      gate_(std::move(options_.strategy), shard.clock(), shard.executor()),
      log_(options_.name, shard.log(), shard.clock(), shard.executor()),
      news_(options_.name, options_.news, shard.clock()),
      overflow_log_({options_.name, DropReason::overflow}, shard.log(), shard.clock(),
                    shard.executor()),
      lost_log_({options_.name, DropReason::exception}, shard.log(), shard.clock(),
                shard.executor()),
      meter_(room),
      random_(options_.random_seed),
      tasks_(shard.executor(), [this](const std::exception_ptr& e) { note_exception(e); }),
      pings_(shard.executor(), [this](const std::exception_ptr& e) { note_exception(e); }),
      workers_(shard.executor(), [this](const std::exception_ptr& e) { note_exception(e); }) {
    if (options_.batch.events_max > 1) metrics_.count_batches();
    // Others have an order of their own.
    if (queue_->is_durable()) queue_->set_order(make_queue(options_));
    metrics_.restored(queue_->pending_events());
    meter_.turn(options_.bounds.overflow == Overflow::reject);
}

Endpoint::Impl::~Impl() = default;

SinkContext Endpoint::Impl::sink_context() {
    return {shard_.executor(), shard_.clock(), shard_.deadlines(),
            metrics_,          &shard_.log(),  options_.name};
}

void Endpoint::Impl::start() {
    // All of them first: a maker that throws must not leave workers behind.
    std::vector<Tool> tools(options_.max_in_flight);
    for (Tool& tool : tools) renew(tool);
    if (options_.first_hold > Duration::zero()) hold(options_.first_hold);
    queue_->start(*this);
    for (Tool& tool : tools) spawn_worker(std::move(tool));
    // What is there from before may be more than is allowed now.
    begin_trim();
}

void Endpoint::Impl::spawn_worker(Tool tool) {
    ++worker_count_;
    workers_.spawn(work(std::move(tool)));
}

awaitable<void> Endpoint::Impl::work(Tool tool) {
    while (state_ != State::ended) {
        bool has_failed = false;
        try {
            co_await work_until_ended(tool);
            co_return;
        } catch (...) {
            if (is_cancellation(std::current_exception())) throw;
            note_exception(std::current_exception());
            has_failed = true;
        }
        // What failed may be a queue or memory, and would at once fail again.
        if (has_failed) {
            co_await wait_until(shard_.clock(), shard_.clock().now() + breather);
        }
    }
}

awaitable<void> Endpoint::Impl::work_until_ended(Tool& tool) {
    Wakeup ready(shard_.executor());
    unsigned turns = 0;
    while (state_ != State::ended) {
        meter_.publish(*queue_);
        // A sink that never waits must not keep the loop from turning.
        if (++turns % turns_at_once_max == 0) co_await net::post(net::use_awaitable);
        if (is_one_too_many()) co_return;
        if (tool.settings != settings_) renew(tool);
        const TimePoint now = shard_.clock().now();
        if (give_up_overdue(now)) continue;
        std::optional<RetryGate::Pass> pass = may_begin(now);
        if (!pass) {
            if (is_done()) {
                wake_all();
                co_return;
            }
            idle_.push_back(&ready);
            co_await ready.wait();
            continue;
        }
        Held held(*queue_, queue_->lease(limits(), now), under_way_);
        Lease& lease = held.lease;
        if (lease.is_empty()) continue;
        see_to_others(now);
        if (lease.attempts() == 0 && !lease.is_part()) {
            metrics_.batch_formed(lease.batch().size(), now - lease.batch().front()->accepted());
        }
        lease.note_attempt();
        const Attempt attempt{lease.batch(), lease.attempts()};
        ++in_flight_;
        Outcome outcome = Outcome::aborted();
        try {
            outcome = co_await deliver_once(*tool.sink, attempt);
        } catch (...) {
            // Memory ran out before the attempt: nothing is known, so the lease goes back.
            note_exception(std::current_exception());
        }
        --in_flight_;
        conclude(held, *std::move(pass), outcome, now, tool.settings != settings_);
    }
}

/// While one worker makes an attempt, the others are woken for what else there is.
void Endpoint::Impl::see_to_others(TimePoint now) {
    if (idle_.empty() || is_held_) return;
    const TimePoint ready = queue_->ready_at(limits());
    if (ready <= now) {
        wake_one();
    } else {
        wake_at(ready);
    }
}

/// The leave to take a lease and make an attempt. Without it, a worker will be woken when there is
/// something to do.
std::optional<RetryGate::Pass> Endpoint::Impl::may_begin(TimePoint now) {
    if (state_ == State::leaving) return std::nullopt;
    if (must_remake_queue_) {
        // Whoever ends the last attempt comes here again.
        if (in_flight_ > 0) return std::nullopt;
        remake_queue();
    }
    const TimePoint ready = queue_->ready_at(limits());
    is_waiting_ = ready > now;
    if (!is_waiting_) {
        std::optional<RetryGate::Pass> pass = gate_.try_pass(now);
        if (pass) return pass;
        is_held_ = true;
    }
    set_backlogged(false);
    wake_at(std::min(is_waiting_ ? ready : gate_.opens_at(now), overdue_at()));
    return std::nullopt;
}

LeaseLimits Endpoint::Impl::limits() const noexcept {
    LeaseLimits limits = options_.batch;
    if (state_ != State::running) limits.linger = Duration::zero();
    limits.untried_first = gate_.is_probing();
    return limits;
}

/// What is kept on disk is not waited for.
bool Endpoint::Impl::is_done() const noexcept {
    if (state_ == State::leaving) return in_flight_ == 0;
    if (state_ != State::draining) return false;
    if (queue_->pending_events() == 0) return true;
    return queue_->is_durable() && in_flight_ == 0 && !queue_->is_filling();
}

void Endpoint::Impl::on_ready() {
    is_held_ = false;
    if (state_ == State::running) begin_trim();
    wake_one();
}

void Endpoint::Impl::on_corrupt(std::size_t events) {
    metrics_.dead_lettered(events, DeadReason::corrupt);
    shard_.log().error("endpoint", "stored events are damaged and were not sent",
                       {{"endpoint", options_.name}, {"events", events}});
}

Duration Endpoint::Impl::longest_wait() const noexcept { return retry_delay_max(options_.retry); }

void Endpoint::Impl::conclude(Held& held, RetryGate::Pass pass, const Outcome& outcome,
                              TimePoint started, bool is_outdated) {
    const TimePoint ended = shard_.clock().now();
    const Attempt attempt{held.batch(), held.lease.attempts()};
    Progress progress;
    progress.events = held.batch().size();
    progress.failures = held.lease.failures();
    progress.is_batching = options_.batch.events_max > 1;
    progress.is_part = held.lease.is_part();
    const Decision decision = decide(outcome, progress, options_.retry);

    metrics_.attempted(outcome, attempt.number, ended - started);
    gate_.record(std::move(pass), outcome, decision, ended);
    tell_of_hold(ended);
    is_held_ = false;
    history_.add(attempt, outcome, started, ended);
    note_result(attempt, outcome, decision);
    if (gate_.is_open()) set_backlogged(false);
    held.lease.note_outcome(outcome);
    // That another receiver was gone says nothing of the one that is asked now.
    const bool is_of_another = is_outdated && decision.action() == Decision::Action::disable;
    if (is_of_another) return held.settle(Settle::give_back);
    carry_out(decision, held, ended);
}

void Endpoint::Impl::note_result(const Attempt& attempt, const Outcome& outcome,
                                 const Decision& decision) {
    const bool is_news = state_ == State::running;
    switch (outcome.verdict()) {
        case Verdict::delivered:
            log_.succeeded(attempt, shard_.clock().now(), gate_.is_open());
            if (is_news) news_.succeeded(attempt.batch);
            if (is_news) tell_of_success();
            return;
        case Verdict::retry:
        case Verdict::reject:
            log_.failed(attempt, {outcome, decision.is_failure()}, gate_.is_open());
            if (!is_news || !decision.is_failure()) return;
            news_.failed(attempt.batch, log_.last_error());
            return tell_of_failure(shard_.clock().now());
        case Verdict::aborted:
        case Verdict::closed:
            return;
    }
}

void Endpoint::Impl::carry_out(const Decision& decision, Held& held, TimePoint now) {
    switch (decision.action()) {
        case Decision::Action::deliver:
            return deliver(held, now);
        case Decision::Action::retry:
            return try_again(held, now);
        case Decision::Action::pause:
            log_.paused(decision.wait());
            set_backlogged(false);
            return held.settle(Settle::give_back);
        case Decision::Action::split:
            return split(held);
        case Decision::Action::give_up:
            return give_up(held, decision.reason());
        case Decision::Action::disable:
            return disable(held);
        case Decision::Action::give_back:
            return held.settle(Settle::give_back);
        case Decision::Action::close:
            held.settle(Settle::give_back);
            return close();
    }
}

void Endpoint::Impl::deliver(Held& held, TimePoint now) {
    for (const EventPtr& event : held.batch()) metrics_.delivered(now - event->accepted());
    fates_.delivered(held.batch());
    discard_letters(held.batch());
    held.settle(Settle::done);
}

void Endpoint::Impl::try_again(Held& held, TimePoint now) {
    held.lease.note_failure();
    const bool is_breaker = options_.retry.strategy == RetryPolicy::Strategy::breaker;
    // In strict order the breaker holds back the one event that can fail.
    if (options_.max_in_flight > 1 || !is_breaker) {
        std::uniform_real_distribution<double> draw;
        const Duration delay = retry_delay(options_.retry, held.lease.failures(), draw(random_));
        if (delay > Duration::zero()) held.lease.hold_until(now + delay);
    }
    held.settle(Settle::give_back);
}

void Endpoint::Impl::split(Held& held) {
    metrics_.batch_split();
    std::pair<Lease, Lease> halves = held.lease.split();
    held.lease = Lease();
    Held first(*queue_, std::move(halves.first), under_way_);
    Held second(*queue_, std::move(halves.second), under_way_);
    first.settle(Settle::give_back);
    second.settle(Settle::give_back);
}

void Endpoint::Impl::close() {
    if (state_ == State::ended) return;
    shard_.log().info("endpoint", "sink closed, endpoint ends", {{"endpoint", options_.name}});
    state_ = State::ended;
    wake_all();
    if (on_closed) on_closed();
}

void Endpoint::Impl::note_exception(const std::exception_ptr& exception) {
    shard_.log().error("endpoint", "something failed, will go on",
                       {{"endpoint", options_.name}, {"error", describe(exception)}});
}

}  // namespace fanfare
