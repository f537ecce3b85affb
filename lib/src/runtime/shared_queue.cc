#include "runtime/shared_queue.h"

#include <algorithm>
#include <utility>

#include "runtime/shared_queue_link.h"

namespace fanfare {

SharedQueue::SharedQueue(SharedLog& log, Shard& shard, const SteadyWall& times,
                         ConsumerOptions options)
    : shard_(shard),
      times_(times),
      log_(log),
      options_(std::move(options)),
      window_(std::make_unique<MemoryQueue>()),
      link_(std::make_shared<Link>(shard.executor())) {}

SharedQueue::~SharedQueue() {
    const std::lock_guard lock(link_->mutex);
    // Once it has ended, this may be another thread than the shard's.
    if (!std::exchange(link_->has_ended, true)) link_->queue = nullptr;
    link_->consumer = nullptr;
}

void SharedQueue::start(QueueOwner& owner) {
    owner_ = &owner;
    consumer_ = log_.consumer(options_);
    link_->queue = this;
    {
        const std::lock_guard lock(link_->mutex);
        link_->consumer = consumer_.get();
    }
    listen();
    refill();
}

/// Nothing that is held is silently forgotten: others are to have it at once.
void SharedQueue::end() noexcept {
    try {
        leave();
    } catch (...) {
        // There is no memory: the log gives it to others when it has not heard of it for a while.
    }
    end_purges(std::nullopt);
    owner_ = nullptr;
    alarm_.reset();
    link_->queue = nullptr;
    const std::lock_guard lock(link_->mutex);
    link_->has_ended = true;
}

void SharedQueue::leave() {
    is_leaving_ = true;
    give_back(window_->clear());
}

void SharedQueue::set_order(std::unique_ptr<Queue> order) {
    move_events(*window_, *order);
    window_ = std::move(order);
}

void SharedQueue::set_in_flight_max(unsigned leases) {
    if (options_.in_flight_max == leases) return;
    options_.in_flight_max = leases;
    if (!consumer_) return;
    consumer_->change(options_);
    refill();
}

unsigned SharedQueue::window() const noexcept {
    return options_.is_partitioned ? log_partitions : std::max(options_.in_flight_max, 1U);
}

/// What is to come and what is here are never more than may be in flight; but one of each
/// partition may always come, as nobody knows which of them have something.
void SharedQueue::refill() {
    const std::size_t used = held_.size() + credit_;
    if (is_leaving_ || !consumer_ || used >= window()) return;
    const std::size_t more = window() - used;
    credit_ += more;
    consumer_->allow(more);
}

void SharedQueue::push(EventPtr event) { window_->push(std::move(event)); }

TimePoint SharedQueue::ready_at(const LeaseLimits& limits) const noexcept {
    return window_->ready_at(limits);
}

Lease SharedQueue::lease(const LeaseLimits& limits, TimePoint now) {
    return window_->lease(limits, now);
}

TimePoint SharedQueue::oldest_waiting() const noexcept { return window_->oldest_waiting(); }

Lease SharedQueue::lease_accepted_by(TimePoint time) { return window_->lease_accepted_by(time); }

void SharedQueue::release_held() { window_->release_held(); }

void SharedQueue::settle(Lease lease, Settle how) {
    const bool is_tried = lease.attempts() > 0 && lease.not_before() > TimePoint::min();
    if (how == Settle::give_back && !is_leaving_ && !is_tried) {
        return window_->settle(std::move(lease), how);
    }
    if (how == Settle::done) {
        for (const EventPtr& event : lease.batch()) done(*event);
    } else {
        give_back(lease);
    }
    window_->settle(std::move(lease), Settle::done);
    refill();
}

void SharedQueue::done(const Event& event) {
    const auto found = held_.find(event.seq());
    if (found == held_.end()) return;
    consumer_->done(found->second.token);
    remember_done(event.seq(), found->second);
    held_.erase(found);
}

/// It comes again if the log has not heard of that.
void SharedQueue::remember_done(std::uint64_t seq, const Held& held) {
    Story story;
    story.seq = seq;
    story.accepted_at = held.accepted_at;
    story.is_done = true;
    remember(story);
}

void SharedQueue::give_back(const Lease& lease) {
    Story story;
    story.attempts = lease.attempts();
    story.failures = lease.failures();
    story.last_status = lease.last_status();
    story.last_error = lease.last_error();
    const Duration wait = is_leaving_ || lease.not_before() == TimePoint::min()
                              ? Duration::zero()
                              : lease.not_before() - shard_.clock().now();
    for (const EventPtr& event : lease.batch()) {
        const auto found = held_.find(event->seq());
        if (found == held_.end()) continue;
        story.seq = event->seq();
        story.accepted_at = found->second.accepted_at;
        story.deliveries = found->second.deliveries;
        remember(story);
        give_back(event->seq(), std::max(wait, Duration::zero()));
    }
}

/// The newest first: what is given out again comes from the front.
void SharedQueue::give_back(std::vector<EventPtr> waiting) {
    std::sort(waiting.begin(), waiting.end(),
              [](const EventPtr& a, const EventPtr& b) { return a->seq() > b->seq(); });
    for (const EventPtr& event : waiting) give_back(event->seq(), Duration::zero());
}

void SharedQueue::give_back(std::uint64_t seq, Duration delay) {
    const auto found = held_.find(seq);
    if (found == held_.end()) return;
    consumer_->later(found->second.token, delay);
    held_.erase(found);
    ++returned_;
}

/// The log is told at once, by whatever thread; that there is room, on the shard.
std::function<void(const Event&)> SharedQueue::settle_later(Lease lease) {
    std::vector<std::pair<std::uint64_t, std::string>> tokens;
    for (const EventPtr& event : lease.batch()) {
        const auto found = held_.find(event->seq());
        if (found == held_.end()) continue;
        found->second.is_ending = true;
        ++ending_;
        tokens.emplace_back(event->seq(), found->second.token);
    }
    window_->settle(std::move(lease), Settle::done);
    return [link = link_, tokens = std::move(tokens)](const Event& event) {
        const std::uint64_t seq = event.seq();
        const auto found = std::find_if(tokens.begin(), tokens.end(),
                                        [seq](const auto& entry) { return entry.first == seq; });
        if (found == tokens.end()) return;
        link->done(found->second);
        Link::post(link, [seq](SharedQueue* queue, Link&) {
            if (queue != nullptr) queue->let_go_of(seq);
        });
    };
}

void SharedQueue::let_go_of(std::uint64_t seq) {
    const auto found = held_.find(seq);
    if (found == held_.end() || !found->second.is_ending) return;
    remember_done(seq, found->second);
    held_.erase(found);
    --ending_;
    refill();
    owner_->on_ready();
}

std::vector<EventPtr> SharedQueue::clear() {
    std::vector<EventPtr> events = window_->clear();
    for (const EventPtr& event : events) done(*event);
    refill();
    return events;
}

std::vector<EventPtr> SharedQueue::clear_all(
    std::function<void(std::optional<std::size_t>)> on_cleared) {
    std::vector<EventPtr> events = window_->clear();
    for (const EventPtr& event : events) done(*event);
    if (!consumer_ || owner_ == nullptr) {
        on_cleared(0);
        return events;
    }
    purges_.push_back(std::move(on_cleared));
    if (purges_.size() > 1) return events;
    consumer_->purge([link = link_](std::int64_t purged) {
        Link::post(link, [purged](SharedQueue* queue, Link&) {
            if (queue == nullptr) return;
            if (purged >= 0) return queue->end_purges(static_cast<std::size_t>(purged));
            queue->shard_.log().warn("endpoint", "what waits in the log could not be purged",
                                     {{"endpoint", queue->options_.endpoint}});
            queue->end_purges(std::nullopt);
        });
    });
    return events;
}

/// Who asked while a purge was under way gets nothing of its count.
void SharedQueue::end_purges(std::optional<std::size_t> events) noexcept {
    for (const auto& on_cleared : std::exchange(purges_, {})) {
        on_cleared(events);
        if (events) events = 0;
    }
    refill();
}

Lease SharedQueue::remove_oldest() {
    Lease oldest = window_->remove_oldest();
    for (const EventPtr& event : oldest.batch()) done(*event);
    refill();
    return oldest;
}

/// All that is held is told of in turns of the same length, so nothing for longer than that.
void SharedQueue::watch_time() {
    if (is_alarm_set_ || held_.empty()) return;
    if (!alarm_) alarm_ = shard_.clock().make_alarm(shard_.executor());
    is_alarm_set_ = true;
    alarm_->set(shard_.clock().now() + consumer_->working_interval(), [this] {
        is_alarm_set_ = false;
        for (const auto& [seq, held] : held_) consumer_->working(held.token);
        watch_time();
    });
}

std::size_t SharedQueue::pending_events() const noexcept {
    const std::size_t here = std::max(held_.size(), window_->pending_events());
    if (!consumer_) return here;
    const ConsumerFigures figures = consumer_->figures();
    return figures.is_known ? std::max<std::size_t>(figures.pending, here) : here;
}

std::size_t SharedQueue::pending_bytes() const noexcept { return window_->pending_bytes(); }

/// The log may know of older ones, but what it knows is of a while ago.
TimePoint SharedQueue::oldest_accepted() const noexcept {
    const TimePoint now = shard_.clock().now();
    const TimePoint here = window_->pending_events() > 0 ? window_->oldest_accepted() : now;
    if (!consumer_) return std::min(here, now);
    const ConsumerFigures figures = consumer_->figures();
    const bool is_known = figures.is_known && figures.oldest_accepted_at != WallTime();
    if (!is_known) return std::min(here, now);
    return std::min({here, now, times_.steady(figures.oldest_accepted_at)});
}

std::optional<SharedFigures> SharedQueue::shared() const {
    SharedFigures shared;
    // What is about to be let go of has been given up already.
    shared.held = held_.size() - ending_;
    shared.returned = returned_;
    if (!consumer_) return shared;
    const ConsumerFigures figures = consumer_->figures();
    shared.with_others = figures.with_others;
    shared.redelivered = figures.redelivered;
    return shared;
}

}  // namespace fanfare
