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

Endpoint::Impl::Impl(Shard& shard, EndpointOptions options)
    : shard_(shard),
      options_(with_defaults(std::move(options))),
      has_own_queue_(options_.queue != nullptr),
      queue_(has_own_queue_ ? std::move(options_.queue) : make_queue(options_)),
      gate_(std::move(options_.strategy), shard.clock(), shard.executor()),
      log_(options_.name, shard.log(), shard.clock(), shard.executor()),
      random_(options_.random_seed),
      tasks_(shard.executor(), [this](const std::exception_ptr& e) { note_exception(e); }),
      workers_(shard.executor(), [this](const std::exception_ptr& e) { note_exception(e); }) {
    if (options_.batch.events_max > 1) metrics_.count_batches();
}

SinkContext Endpoint::Impl::sink_context() {
    return {shard_.executor(), shard_.clock(), shard_.deadlines(),
            metrics_,          &shard_.log(),  options_.name};
}

void Endpoint::Impl::start() {
    // All of them first: a maker that throws must not leave workers behind.
    std::vector<Tool> tools(options_.max_in_flight);
    for (Tool& tool : tools) renew(tool);
    for (Tool& tool : tools) spawn_worker(std::move(tool));
}

void Endpoint::Impl::spawn_worker(Tool tool) {
    ++worker_count_;
    workers_.spawn(work(std::move(tool)));
}

void Endpoint::Impl::offer(const EventPtr& event) {
    metrics_.offered(1);
    if (state_ != State::running) {
        metrics_.dropped(1, DropReason::removed);
        return;
    }
    try {
        if (is_gone_ || (options_.filter && !options_.filter->wants(*event))) {
            metrics_.ignored(1);
            return;
        }
        queue_->push(event);
    } catch (...) {
        metrics_.dropped(1, DropReason::exception);
        shard_.log().error(
            "endpoint", "event dropped, its filter or queue failed",
            {{"endpoint", options_.name}, {"error", describe(std::current_exception())}});
        return;
    }
    metrics_.queued(1);
    wake_for_push();
}

void Endpoint::Impl::requeue(std::span<const EventPtr> events) {
    metrics_.offered(events.size());
    metrics_.replayed(events.size());
    if (state_ != State::running) {
        metrics_.dropped(events.size(), DropReason::removed);
        return;
    }
    for (const EventPtr& event : events) queue_->push(event);
    metrics_.queued(events.size());
    wake_one();
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
        // A sink that never waits must not keep the loop from turning.
        if (++turns % turns_at_once_max == 0) co_await net::post(net::use_awaitable);
        if (is_one_too_many()) co_return;
        if (tool.settings != settings_) renew(tool);
        const TimePoint now = shard_.clock().now();
        if (!may_begin(now)) {
            if (is_done()) {
                wake_all();
                co_return;
            }
            idle_.push_back(&ready);
            co_await ready.wait();
            continue;
        }
        Lease lease = queue_->lease(limits(), now);
        if (lease.is_empty() || is_too_old(lease, now)) {
            gate_.abandon();
            if (!lease.is_empty()) give_up(std::move(lease), DeadReason::max_age);
            continue;
        }
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
        conclude(std::move(lease), outcome, now);
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

/// Whether a worker may take a lease, for which the gate has then been passed. If not, a worker
/// will be woken when it may.
bool Endpoint::Impl::may_begin(TimePoint now) {
    if (must_remake_queue_) {
        // Whoever ends the last attempt comes here again.
        if (in_flight_ > 0) return false;
        remake_queue();
    }
    const TimePoint ready = queue_->ready_at(limits());
    is_waiting_ = ready > now;
    if (is_waiting_) {
        set_backlogged(false);
        wake_at(ready);
        return false;
    }
    if (gate_.try_pass(now)) return true;
    is_held_ = true;
    wake_at(gate_.opens_at(now));
    return false;
}

LeaseLimits Endpoint::Impl::limits() const noexcept {
    LeaseLimits limits = options_.batch;
    if (state_ != State::running) limits.linger = Duration::zero();
    return limits;
}

/// No event is given up before its time: it is the youngest that counts.
bool Endpoint::Impl::is_too_old(const Lease& lease, TimePoint now) const noexcept {
    const Duration age_max = options_.retry.age_max;
    return age_max > Duration::zero() && now - lease.batch().back()->accepted() >= age_max;
}

bool Endpoint::Impl::is_done() const noexcept {
    return state_ == State::draining && queue_->pending_events() == 0;
}

void Endpoint::Impl::conclude(Lease lease, const Outcome& outcome, TimePoint started) {
    const TimePoint ended = shard_.clock().now();
    const Attempt attempt{lease.batch(), lease.attempts()};
    Progress progress;
    progress.events = lease.batch().size();
    progress.failures = lease.failures();
    progress.is_batching = options_.batch.events_max > 1;
    progress.is_part = lease.is_part();
    const Decision decision = decide(outcome, progress, options_.retry);

    metrics_.attempted(outcome, attempt.number, ended - started);
    gate_.record(outcome, decision, ended);
    is_held_ = false;
    history_.add(attempt, outcome, started, ended);
    switch (outcome.verdict()) {
        case Verdict::delivered:
            log_.succeeded(attempt, ended, gate_.is_open());
            break;
        case Verdict::retry:
        case Verdict::reject:
            log_.failed(attempt, {outcome, decision.is_failure()}, gate_.is_open());
            break;
        case Verdict::aborted:
        case Verdict::closed:
            break;
    }
    if (gate_.is_open()) set_backlogged(false);
    lease.note_outcome(outcome);
    carry_out(decision, std::move(lease), ended);
}

void Endpoint::Impl::carry_out(const Decision& decision, Lease lease, TimePoint now) {
    switch (decision.action()) {
        case Decision::Action::deliver:
            return deliver(std::move(lease), now);
        case Decision::Action::retry:
            return try_again(std::move(lease), now);
        case Decision::Action::pause:
            log_.paused(decision.wait());
            set_backlogged(false);
            return queue_->settle(std::move(lease), Settle::give_back);
        case Decision::Action::split:
            return split(lease);
        case Decision::Action::give_up:
            return give_up(std::move(lease), decision.reason());
        case Decision::Action::disable:
            return disable(std::move(lease));
        case Decision::Action::give_back:
            return queue_->settle(std::move(lease), Settle::give_back);
        case Decision::Action::close:
            queue_->settle(std::move(lease), Settle::give_back);
            return close();
    }
}

void Endpoint::Impl::deliver(Lease lease, TimePoint now) {
    for (const EventPtr& event : lease.batch()) metrics_.delivered(now - event->accepted());
    queue_->settle(std::move(lease), Settle::done);
}

void Endpoint::Impl::try_again(Lease lease, TimePoint now) {
    lease.note_failure();
    const bool is_breaker = options_.retry.strategy == RetryPolicy::Strategy::breaker;
    // In strict order the breaker holds back the one event that can fail.
    if (options_.max_in_flight > 1 || !is_breaker) {
        std::uniform_real_distribution<double> draw;
        const Duration delay = retry_delay(options_.retry, lease.failures(), draw(random_));
        if (delay > Duration::zero()) lease.hold_until(now + delay);
    }
    queue_->settle(std::move(lease), Settle::give_back);
}

void Endpoint::Impl::split(const Lease& lease) {
    metrics_.batch_split();
    std::pair<Lease, Lease> halves = lease.split();
    queue_->settle(std::move(halves.first), Settle::give_back);
    queue_->settle(std::move(halves.second), Settle::give_back);
}

void Endpoint::Impl::give_up(Lease lease, DeadReason reason) {
    metrics_.dead_lettered(lease.batch().size(), reason);
    log_.given_up(lease.batch(), reason);
    for (const EventPtr& event : lease.batch()) put_letter(event, lease, reason);
    queue_->settle(std::move(lease), Settle::done);
}

void Endpoint::Impl::disable(Lease lease) {
    std::vector<EventPtr> events = queue_->clear();
    shard_.log().error("endpoint", "endpoint disabled, its receiver is gone",
                       {{"endpoint", options_.name},
                        {"status", lease.last_status()},
                        {"events", events.size() + lease.batch().size()}});
    is_gone_ = true;
    metrics_.dead_lettered(events.size(), DeadReason::gone);
    Lease story;
    story.note_outcome(Outcome::refused(lease.last_status()));
    tasks_.spawn(put_letters(std::move(events), std::move(story), DeadReason::gone));
    give_up(std::move(lease), DeadReason::gone);
}

void Endpoint::Impl::put_letter(const EventPtr& event, const Lease& lease, DeadReason reason) {
    if (options_.dead_letters == nullptr) return;
    const WallTime now = shard_.clock().wall();
    DeadLetter letter;
    letter.endpoint = options_.name;
    letter.event = event;
    letter.reason = reason;
    letter.last_status = lease.last_status();
    letter.last_error = lease.last_error();
    letter.attempts = lease.attempts();
    letter.accepted_at = now - std::chrono::duration_cast<WallTime::duration>(shard_.clock().now() -
                                                                              event->accepted());
    letter.given_up_at = now;
    options_.dead_letters->put(std::move(letter));
}

/// Of a whole queue, without holding up the loop. `story` is what is told of every event.
awaitable<void> Endpoint::Impl::put_letters(std::vector<EventPtr> events, Lease story,
                                            DeadReason reason) {
    std::size_t count = 0;
    for (EventPtr& event : events) {
        put_letter(event, story, reason);
        event.reset();
        if (++count % events_at_once_max == 0) co_await net::post(net::use_awaitable);
    }
}

void Endpoint::Impl::close() {
    if (state_ == State::ended) return;
    shard_.log().info("endpoint", "sink closed, endpoint ends", {{"endpoint", options_.name}});
    state_ = State::ended;
    wake_all();
    if (on_closed) on_closed();
}

void Endpoint::Impl::note_exception(const std::exception_ptr& exception) {
    shard_.log().error("endpoint", "worker failed, will go on",
                       {{"endpoint", options_.name}, {"error", describe(exception)}});
}

}  // namespace fanfare
