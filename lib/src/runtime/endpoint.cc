#include "fanfare/endpoint.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>

#include "base/exceptions.h"
#include "base/task_group.h"
#include "base/wakeup.h"
#include "fanfare/broadcaster.h"
#include "runtime/attempt_log.h"

namespace fanfare {
namespace {

DeadReason dead_reason(Reason reason) {
    switch (reason) {
        case Reason::max_attempts:
            return DeadReason::max_attempts;
        case Reason::max_age:
            return DeadReason::max_age;
        case Reason::exception:
            return DeadReason::exception;
        case Reason::none:
        case Reason::dns:
        case Reason::connect:
        case Reason::tls:
        case Reason::timeout:
        case Reason::reset:
        case Reason::protocol:
        case Reason::blocked:
        case Reason::status:
        case Reason::permanent:
        case Reason::closed:
            return DeadReason::permanent;
    }
    return DeadReason::permanent;
}

}  // namespace

class Endpoint::Impl final : private AttemptObserver {
  public:
    Impl(Shard& shard, EndpointOptions options);

    void start();
    void offer(const EventPtr& event);
    void drain();
    void abort();
    awaitable<void> join(DropReason reason);
    EndpointSnapshot snapshot() const;

    std::function<void()> on_closed;

  private:
    enum class State { running, draining, ended };

    awaitable<void> work(std::unique_ptr<Sink> sink);
    void settle(Lease lease, const Outcome& outcome);
    void give_up(const Lease& lease, Reason reason);
    void close();
    void wake_idle();
    void set_backlogged(bool is_backlogged);
    void drop_rest(DropReason reason);
    void note_exception();
    void attempting(const Attempt& attempt) override;
    void attempted(const Attempt& attempt, const Outcome& outcome, TimePoint started,
                   TimePoint ended) override;

    static constexpr unsigned turns_at_once_max = 256;

    Shard& shard_;
    EndpointOptions options_;
    EndpointMetrics metrics_;
    RetryGate gate_;
    AttemptLog attempts_;
    State state_ = State::running;
    unsigned in_flight_ = 0;
    bool is_backlogged_ = false;
    std::vector<Wakeup*> idle_;  // the last to fall idle is woken first: its connection is warm
    TaskGroup workers_;
};

namespace {

EndpointOptions with_defaults(EndpointOptions options) {
    assert(options.make_sink);
    options.max_in_flight = std::clamp(options.max_in_flight, 1U, 1024U);
    if (!options.queue) options.queue = std::make_unique<MemoryQueue>();
    if (!options.strategy) options.strategy = std::make_unique<Breaker>(0, Duration::zero());
    return options;
}

}  // namespace

Endpoint::Impl::Impl(Shard& shard, EndpointOptions options)
    : shard_(shard),
      options_(with_defaults(std::move(options))),
      gate_(std::move(options_.strategy), shard.clock(), shard.executor()),
      attempts_(options_.name, shard.log(), shard.clock(), shard.executor()),
      workers_(shard.executor(), [this](const std::exception_ptr& exception) {
          shard_.log().error("endpoint", "worker failed",
                             {{"endpoint", options_.name}, {"error", describe(exception)}});
      }) {}

void Endpoint::Impl::start() {
    const SinkContext sink_context{shard_.executor(), shard_.clock(), shard_.deadlines(),
                                   metrics_,          &shard_.log(),  options_.name};
    const RetryingSink::Context retry_context{gate_, shard_.clock(), *this};
    for (unsigned i = 0; i < options_.max_in_flight; ++i) {
        workers_.spawn(work(std::make_unique<RetryingSink>(options_.make_sink(sink_context),
                                                           options_.limits, retry_context)));
    }
}

void Endpoint::Impl::offer(const EventPtr& event) {
    metrics_.offered(1);
    if (state_ != State::running) {
        metrics_.dropped(1, DropReason::removed);
        return;
    }
    if (options_.filter && !options_.filter->wants(*event)) {
        metrics_.ignored(1);
        return;
    }
    try {
        options_.queue->push(event);
    } catch (const std::exception& error) {
        metrics_.dropped(1, DropReason::exception);
        shard_.log().error("endpoint", "event dropped, its queue failed",
                           {{"endpoint", options_.name}, {"error", error.what()}});
        return;
    }
    metrics_.queued(1);
    if (idle_.empty()) {
        set_backlogged(!gate_.is_open());
    } else {
        idle_.back()->notify();
        idle_.pop_back();
    }
}

void Endpoint::Impl::set_backlogged(bool is_backlogged) {
    if (is_backlogged == is_backlogged_) return;
    is_backlogged_ = is_backlogged;
    if (is_backlogged) {
        ++shard_.backlogged_;
    } else {
        --shard_.backlogged_;
    }
}

awaitable<void> Endpoint::Impl::work(std::unique_ptr<Sink> sink) {
    Wakeup ready(shard_.executor());
    unsigned turns = 0;
    while (state_ != State::ended) {
        Lease lease = options_.queue->lease(options_.batch);
        if (lease.is_empty()) {
            set_backlogged(false);
            if (state_ == State::draining) co_return;
            idle_.push_back(&ready);
            co_await ready.wait();
            continue;
        }
        const Attempt attempt{lease.batch(), 1};
        Outcome outcome = Outcome::aborted();
        try {
            outcome = co_await sink->deliver(attempt);
        } catch (...) {
            // A wait was cancelled, or memory ran out: nothing is known, so the lease goes back.
            if (!is_cancellation(std::current_exception())) note_exception();
        }
        settle(std::move(lease), outcome);
        // A sink that never waits must not keep the loop from turning.
        if (++turns % turns_at_once_max == 0) co_await net::post(net::use_awaitable);
    }
}

void Endpoint::Impl::note_exception() {
    shard_.log().error(
        "endpoint", "worker failed, will go on",
        {{"endpoint", options_.name}, {"error", describe(std::current_exception())}});
}

void Endpoint::Impl::settle(Lease lease, const Outcome& outcome) {
    switch (outcome.verdict()) {
        case Verdict::delivered: {
            const TimePoint now = shard_.clock().now();
            for (const EventPtr& event : lease.batch()) metrics_.delivered(now - event->accepted());
            options_.queue->settle(std::move(lease), Settle::done);
            break;
        }
        case Verdict::reject:
        case Verdict::retry:  // RetryingSink never ends with it
            give_up(lease, outcome.reason());
            options_.queue->settle(std::move(lease), Settle::done);
            break;
        case Verdict::aborted:
            options_.queue->settle(std::move(lease), Settle::give_back);
            break;
        case Verdict::closed:
            options_.queue->settle(std::move(lease), Settle::give_back);
            close();
            break;
    }
}

void Endpoint::Impl::give_up(const Lease& lease, Reason reason) {
    const std::size_t events = lease.batch().size();
    metrics_.dead_lettered(events, dead_reason(reason));
    attempts_.given_up(lease.batch(), dead_reason(reason));
}

void Endpoint::Impl::close() {
    if (state_ == State::ended) return;
    shard_.log().info("endpoint", "sink closed, endpoint ends", {{"endpoint", options_.name}});
    state_ = State::ended;
    wake_idle();
    if (on_closed) on_closed();
}

void Endpoint::Impl::drain() {
    if (state_ == State::running) state_ = State::draining;
    wake_idle();
}

void Endpoint::Impl::abort() {
    state_ = State::ended;
    idle_.clear();
    workers_.cancel();
}

void Endpoint::Impl::wake_idle() {
    for (Wakeup* worker : idle_) worker->notify();
    idle_.clear();
}

awaitable<void> Endpoint::Impl::join(DropReason reason) {
    co_await workers_.join();
    state_ = State::ended;
    set_backlogged(false);
    attempts_.finish();
    drop_rest(reason);
}

void Endpoint::Impl::drop_rest(DropReason reason) {
    const std::size_t left = options_.queue->pending_events();
    if (left == 0) return;
    const std::size_t bytes = options_.queue->pending_bytes();
    for (Lease lease = options_.queue->lease({}); !lease.is_empty();
         lease = options_.queue->lease({})) {
        options_.queue->settle(std::move(lease), Settle::done);
    }
    metrics_.dropped(left, reason);
    shard_.log().error("endpoint", "events dropped, endpoint has ended",
                       {{"endpoint", options_.name},
                        {"reason", to_string(reason)},
                        {"events", left},
                        {"bytes", bytes}});
}

void Endpoint::Impl::attempting(const Attempt&) { ++in_flight_; }

void Endpoint::Impl::attempted(const Attempt& attempt, const Outcome& outcome, TimePoint started,
                               TimePoint ended) {
    --in_flight_;
    metrics_.attempted(outcome, attempt.number, ended - started);
    switch (outcome.verdict()) {
        case Verdict::delivered:
            attempts_.succeeded(attempt, ended, gate_.is_open());
            break;
        case Verdict::retry:
        case Verdict::reject:
            attempts_.failed(attempt, outcome, gate_.is_open());
            if (gate_.is_open()) set_backlogged(false);
            break;
        case Verdict::aborted:
        case Verdict::closed:
            break;
    }
}

EndpointSnapshot Endpoint::Impl::snapshot() const {
    EndpointSnapshot snapshot;
    snapshot.name = options_.name;
    snapshot.metrics = metrics_;
    snapshot.pending_events = options_.queue->pending_events();
    snapshot.pending_bytes = options_.queue->pending_bytes();
    snapshot.in_flight_requests = in_flight_;
    if (snapshot.pending_events > 0) {
        snapshot.oldest_pending = shard_.clock().now() - options_.queue->oldest_accepted();
    }
    snapshot.is_breaker_open = gate_.is_open();
    attempts_.describe(snapshot);
    return snapshot;
}

Endpoint::Endpoint(Shard& shard, EndpointOptions options)
    : name_(options.name),
      shard_(shard),
      impl_(std::make_unique<Impl>(shard, std::move(options))) {}

Endpoint::~Endpoint() = default;

void Endpoint::start() { impl_->start(); }

void Endpoint::offer(const EventPtr& event) { impl_->offer(event); }

void Endpoint::drain() { impl_->drain(); }

void Endpoint::abort() { impl_->abort(); }

awaitable<void> Endpoint::join(DropReason reason) { return impl_->join(reason); }

void Endpoint::on_closed(std::function<void()> callback) { impl_->on_closed = std::move(callback); }

EndpointSnapshot Endpoint::snapshot() const { return impl_->snapshot(); }

}  // namespace fanfare
