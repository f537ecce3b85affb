#include "fanfare/endpoint.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/exceptions.h"
#include "runtime/endpoint_impl.h"

namespace fanfare {

void Endpoint::Impl::wake_for_push() {
    if (idle_.empty()) {
        set_backlogged(!gate_.is_open());
        return;
    }
    if (is_held_) return;
    if (is_waiting_) {
        const TimePoint ready = queue_->ready_at(limits());
        if (ready > TimePoint::min()) return wake_at(ready);
    }
    wake_one();
}

void Endpoint::Impl::wake_one() {
    if (idle_.empty()) return;
    idle_.back()->notify();
    idle_.pop_back();
}

void Endpoint::Impl::wake_all() {
    for (Wakeup* worker : idle_) worker->notify();
    idle_.clear();
}

void Endpoint::Impl::wake_at(TimePoint at) {
    if (at >= alarm_at_) return;
    if (!alarm_) alarm_ = shard_.clock().make_alarm(shard_.executor());
    alarm_at_ = at;
    alarm_->set(at, [this] {
        alarm_at_ = TimePoint::max();
        is_held_ = false;
        wake_one();
    });
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

void Endpoint::Impl::drain() {
    if (state_ == State::running) state_ = State::draining;
    queue_->leave();
    wake_all();
}

/// A queue in memory has no later.
void Endpoint::Impl::leave() {
    if (!queue_->is_durable()) return drain();
    if (state_ == State::running) state_ = State::leaving;
    queue_->leave();
    wake_all();
}

void Endpoint::Impl::abort() {
    state_ = State::ended;
    idle_.clear();
    workers_.cancel();
}

awaitable<void> Endpoint::Impl::join(DropReason reason) {
    co_await workers_.join();
    state_ = State::ended;
    pings_.cancel();
    co_await pings_.join();
    alarm_.reset();
    health_alarm_.reset();
    set_backlogged(false);
    end_queue(reason);
    co_await tasks_.join();
    log_.finish();
    overflow_log_.finish();
    lost_log_.finish();
}

void Endpoint::Impl::pause() {
    if (gate_.is_paused()) return;
    gate_.pause();
    set_backlogged(false);
    shard_.log().info("endpoint", "endpoint paused", {{"endpoint", options_.name}});
}

void Endpoint::Impl::resume() {
    const bool was_stopped = gate_.is_paused() || is_gone();
    is_gone_ = false;
    gate_.resume();
    is_held_ = false;
    wake_one();
    if (!was_stopped) return;
    shard_.log().info("endpoint", "endpoint resumed",
                      {{"endpoint", options_.name}, {"events", queue_->pending_events()}});
}

void Endpoint::Impl::hold(Duration how_long) {
    const TimePoint now = shard_.clock().now();
    gate_.hold_until(how_long > Duration::zero() ? now + how_long : TimePoint::min());
    is_held_ = false;
    wake_one();
}

struct Endpoint::Impl::Ping {
    Ping(EventPtr sent, Executor executor) : event(std::move(sent)), done(std::move(executor)) {}

    const EventPtr event;
    Outcome outcome = Outcome::aborted();
    Wakeup done;
};

awaitable<Outcome> Endpoint::Impl::test(EventPtr event) {
    const auto ping = std::make_shared<Ping>(std::move(event), shard_.executor());
    if (state_ == State::ended) co_return ping->outcome;
    pings_.spawn(make_ping(ping));
    co_await ping->done.wait();
    co_return ping->outcome;
}

/// Belongs to the endpoint and not to who asks for it, so that it ends when the endpoint does.
awaitable<void> Endpoint::Impl::make_ping(std::shared_ptr<Ping> ping) {
    try {
        const std::unique_ptr<Sink> sink = options_.make_sink(sink_context());
        const Attempt attempt{Batch(&ping->event, 1), 1};
        ping->outcome = co_await deliver_once(*sink, attempt);
    } catch (...) {
        if (!is_cancellation(std::current_exception())) note_exception(std::current_exception());
    }
    ping->done.notify();
}

std::vector<AttemptRecord> Endpoint::Impl::attempts(std::size_t limit) const {
    return history_.newest(limit, shard_.clock());
}

EndpointFate Endpoint::Impl::fate(std::uint64_t seq) const {
    const EventFates::Fate known = fates_.of(seq);
    EndpointFate fate;
    fate.endpoint = options_.name;
    fate.state = known.state;
    fate.reason = known.reason;
    // It may be with another process by now, or done with.
    if (known.state == EventState::pending && !queue_->has(seq)) fate.state = EventState::unknown;
    // What it was not told of, another process may have been.
    if (is_shared_ && known.state == EventState::not_offered) fate.state = EventState::unknown;
    // A batch may have gone around an event that was ignored.
    if (known.state != EventState::ignored) fate.attempts = history_.of(seq, shard_.clock());
    return fate;
}

EndpointSnapshot Endpoint::Impl::snapshot() const {
    const TimePoint now = shard_.clock().now();
    EndpointSnapshot snapshot;
    snapshot.name = options_.name;
    snapshot.metrics = metrics_;
    snapshot.pending_events = queue_->pending_events();
    snapshot.pending_bytes = queue_->pending_bytes();
    snapshot.in_flight_requests = in_flight_;
    snapshot.shared = queue_->shared();
    if (snapshot.pending_events > 0) snapshot.oldest_pending = now - queue_->oldest_accepted();
    snapshot.is_breaker_open = gate_.is_open();
    snapshot.is_paused = gate_.is_paused();
    if (gate_.paused_until() > now) snapshot.pause_left = gate_.paused_until() - now;
    if (gate_.held_until() > now) snapshot.hold_left = gate_.held_until() - now;
    snapshot.is_gone = is_gone();
    log_.describe(snapshot);
    snapshot.is_up = log_.failures_in_a_row() < news_.down_after();
    return snapshot;
}

Endpoint::Endpoint(Shard& shard, EndpointOptions options)
    : name_(options.name),
      store_id_(options.store_id),
      shard_(shard),
      filter_(options.filter),
      asks_for_meta_(options.asks_for_meta),
      room_(std::make_shared<Room>(options.name, options.bounds)),
      impl_(std::make_unique<Impl>(shard, std::move(options), *room_)) {}

Endpoint::~Endpoint() = default;

void Endpoint::start() { impl_->start(); }
void Endpoint::offer(const EventPtr& event) { impl_->offer(event); }
void Endpoint::requeue(std::span<const Replayed> events) { impl_->requeue(events); }
void Endpoint::take_meta(const EventPtr& event) { impl_->take_meta(event); }
void Endpoint::not_requeued(std::span<const Replayed> events) { impl_->not_requeued(events); }
void Endpoint::take(const EventPtr& event, Interest interest) { impl_->take(event, interest); }
void Endpoint::drain() { impl_->drain(); }
void Endpoint::leave() { impl_->leave(); }
bool Endpoint::is_gone() const noexcept { return impl_->is_gone(); }
void Endpoint::abort() { impl_->abort(); }
awaitable<void> Endpoint::join(DropReason reason) { return impl_->join(reason); }
void Endpoint::on_closed(std::function<void()> callback) {
    impl_->on_closed = [this, callback = std::move(callback)] {
        has_closed_.store(true, std::memory_order_relaxed);
        room_->close();
        callback();
    };
}
void Endpoint::pause() { impl_->pause(); }
void Endpoint::resume() { impl_->resume(); }
void Endpoint::hold(Duration how_long) { impl_->hold(how_long); }
void Endpoint::take_gone() { impl_->take_gone(); }
void Endpoint::take_back() { impl_->take_back(); }
void Endpoint::down_elsewhere(Duration ago) { impl_->down_elsewhere(ago); }
void Endpoint::up_elsewhere() { impl_->up_elsewhere(); }
void Endpoint::reconfigure(EndpointOptions options) { impl_->reconfigure(std::move(options)); }
std::size_t Endpoint::purge() { return impl_->purge(); }
void Endpoint::purge(std::function<void(std::optional<std::size_t>)> on_purged) {
    impl_->purge(std::move(on_purged));
}
awaitable<Outcome> Endpoint::test(EventPtr ping) { return impl_->test(std::move(ping)); }
EndpointSnapshot Endpoint::snapshot() const { return impl_->snapshot(); }

EndpointFate Endpoint::fate(std::uint64_t seq) const {
    EndpointFate fate = impl_->fate(seq);
    // Another endpoint of this name may have had it, in this process or the one before.
    const bool is_older = fate.state == EventState::not_offered && seq <= seq_before_;
    if (is_older) fate.state = EventState::unknown;
    return fate;
}

std::vector<AttemptRecord> Endpoint::attempts(std::size_t limit) const {
    return impl_->attempts(limit);
}

}  // namespace fanfare
