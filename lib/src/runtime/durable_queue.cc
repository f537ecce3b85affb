#include "runtime/durable_queue.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace fanfare {
namespace {

constexpr std::size_t page_events_max = 512;
constexpr std::size_t page_bytes_max = std::size_t{512} * 1024;

/// As few runs as the seqs allow.
std::vector<EndpointRun> runs_of(EndpointId endpoint, Batch batch) {
    std::vector<EndpointRun> runs;
    for (const EventPtr& event : batch) {
        const std::uint64_t seq = event->seq();
        if (runs.empty() || runs.back().seqs.last + 1 != seq) {
            runs.push_back({endpoint, {seq, seq}, 0});
        }
        runs.back().seqs.last = seq;
        runs.back().bytes += event->payload().size();
    }
    return runs;
}

}  // namespace

DurableQueue::DurableQueue(Journal& journal, Shard& shard, const SteadyWall& times, Place place,
                           Window window)
    : journal_(journal),
      shard_(shard),
      times_(times),
      endpoint_(place.endpoint),
      limits_(window),
      window_(std::make_unique<MemoryQueue>()),
      last_seq_(place.last_seq),
      behind_(place.pending),
      behind_since_(shard.clock().now()),
      alive_(std::make_shared<Alive>(Alive{this})) {
    if (place.oldest_at) behind_since_ = std::min(behind_since_, times.steady(*place.oldest_at));
}

DurableQueue::~DurableQueue() = default;

void DurableQueue::start(QueueOwner& owner) {
    owner_ = &owner;
    fill();
}

void DurableQueue::end() noexcept {
    alive_->queue = nullptr;
    owner_ = nullptr;
    is_reading_ = false;
}

void DurableQueue::set_order(std::unique_ptr<Queue> order) {
    move_events(*window_, *order);
    window_ = std::move(order);
}

void DurableQueue::push(EventPtr event) {
    const std::size_t bytes = event->payload().size();
    last_seq_ = event->seq();
    if (behind_.events == 0 && has_room(bytes)) {
        window_->push(std::move(event));
        window_last_ = last_seq_;
        return;
    }
    if (behind_.events == 0) behind_since_ = event->accepted();
    ++behind_.events;
    behind_.bytes += bytes;
    fill();
}

std::function<void(const Event&)> DurableQueue::skip(const Event& event) {
    last_seq_ = event.seq();
    if (behind_.events == 0) {
        window_last_ = last_seq_;
    } else {
        skipped_.add(last_seq_);
    }
    return let_go();
}

std::function<void(const Event&)> DurableQueue::let_go() const {
    return [&journal = journal_, endpoint = endpoint_](const Event& event) {
        journal.acknowledge({endpoint, {event.seq(), event.seq()}, event.payload().size()});
    };
}

bool DurableQueue::has_room(std::size_t bytes) const noexcept {
    const std::size_t events = window_->pending_events();
    if (events == 0) return true;
    return events < limits_.events_max && window_->pending_bytes() + bytes <= limits_.bytes_max;
}

/// Reads as soon as there is room for a page. It is of a size that holds up a commit, or the
/// shard, for a millisecond or two.
void DurableQueue::fill() {
    if (behind_.events == 0 || is_reading_ || owner_ == nullptr) return;
    PageLimits wanted{std::min(limits_.events_max / 2, page_events_max),
                      std::min(limits_.bytes_max / 2, page_bytes_max)};
    const std::size_t events = window_->pending_events();
    const bool has_room = events + wanted.events_max <= limits_.events_max &&
                          window_->pending_bytes() + wanted.bytes_max <= limits_.bytes_max;
    if (events > 0 && !has_room) return;
    // At the start the oldest may be a batch that was attempted: it comes as a whole.
    wanted.events_max = std::max(wanted.events_max, owner_->limits().events_max);
    wanted.bytes_max = std::max(wanted.bytes_max, owner_->limits().bytes_max);
    is_reading_ = true;
    journal_.read(endpoint_, window_last_, wanted,
                  [alive = alive_, executor = shard_.executor(),
                   until = last_seq_](std::optional<StoredPage> page) {
                      const auto shared =
                          std::make_shared<std::optional<StoredPage>>(std::move(page));
                      net::post(executor, [alive, shared, until] {
                          if (alive->queue == nullptr) return;
                          alive->queue->on_page(std::move(*shared), until);
                      });
                  });
}

void DurableQueue::on_page(std::optional<StoredPage> page, std::uint64_t asked_until) {
    is_reading_ = false;
    // A store that is broken gives nothing any more: the process is ending.
    if (!page) return owner_->on_ready();
    std::size_t corrupt = take(*page);
    if (!page->has_more) {
        window_last_ = std::max(window_last_, asked_until);
        const bool has_all = window_last_ >= last_seq_;
        // The store may have fewer events, and of other sizes, than it told at the start.
        if (has_all) corrupt += std::exchange(behind_, Backlog()).events;
    }
    skipped_.remove({1, std::max<std::uint64_t>(window_last_, 1)});
    if (corrupt > 0) owner_->on_corrupt(corrupt);
    fill();
    owner_->on_ready();
}

/// Returns how many events are damaged.
std::size_t DurableQueue::take(const StoredPage& page) {
    std::size_t corrupt = 0;
    Together together;
    for (const StoredEvent& stored : page.events) {
        // Of what comes after last_seq_ push() will tell.
        if (stored.seq > last_seq_) break;
        if (stored.seq <= window_last_) continue;
        window_last_ = stored.seq;
        if (skipped_.contains(stored.seq)) continue;
        behind_.events -= std::min<std::uint64_t>(behind_.events, 1);
        if (!stored.event) {
            ++corrupt;
            journal_.acknowledge({endpoint_, {stored.seq, stored.seq}, 0});
            continue;
        }
        behind_.bytes -= std::min<std::uint64_t>(behind_.bytes, stored.event->payload().size());
        EventPtr event = revive(stored);
        behind_since_ = event->accepted();
        take(std::move(event), stored, together);
    }
    adopt(together);
    return corrupt;
}

/// What was attempted goes into the window with its story; a batch as a whole, so that its next
/// attempt sends what the last one did.
void DurableQueue::take(EventPtr event, const StoredEvent& stored, Together& together) {
    if (!stored.progress || stored.progress->attempts == 0) {
        adopt(together);
        window_->push(std::move(event));
        return;
    }
    const StoredProgress& progress = *stored.progress;
    if (!can_join(*event, progress, together)) {
        adopt(together);
        together.progress = progress;
        together.lease.set_attempts(progress.attempts, progress.failures);
        together.lease.set_outcome(progress.last_status, progress.last_error);
        together.lease.hold_until(next_at(progress));
    }
    together.bytes += event->payload().size();
    together.lease.add(std::move(event));
}

bool DurableQueue::can_join(const Event& event, const StoredProgress& progress,
                            const Together& together) const {
    if (together.lease.is_empty() || !(together.progress == progress)) return false;
    const LeaseLimits limits = owner_->limits();
    const Batch batch = together.lease.batch();
    return batch.size() < limits.events_max && batch.front()->type() == event.type() &&
           together.bytes + event.payload().size() <= limits.bytes_max;
}

void DurableQueue::adopt(Together& together) {
    Together taken = std::exchange(together, Together());
    if (!taken.lease.is_empty()) window_->adopt(std::move(taken.lease));
}

EventPtr DurableQueue::revive(const StoredEvent& stored) const {
    stored.event->seq_ = stored.seq;
    stored.event->accepted_ = std::min(times_.steady(stored.accepted_at), shard_.clock().now());
    return stored.event;
}

/// The wall clock may have been set since then: nothing waits longer than it would now.
TimePoint DurableQueue::next_at(const StoredProgress& progress) const {
    if (progress.next_at == WallTime()) return TimePoint::min();
    return std::min(times_.steady(progress.next_at), shard_.clock().now() + owner_->longest_wait());
}

TimePoint DurableQueue::ready_at(const LeaseLimits& limits) const noexcept {
    return window_->ready_at(limits);
}

Lease DurableQueue::lease(const LeaseLimits& limits, TimePoint now) {
    return window_->lease(limits, now);
}

TimePoint DurableQueue::oldest_waiting() const noexcept { return window_->oldest_waiting(); }

Lease DurableQueue::lease_accepted_by(TimePoint time) { return window_->lease_accepted_by(time); }

void DurableQueue::settle(Lease lease, Settle how) {
    if (how == Settle::give_back) {
        if (lease.attempts() > 0) note_progress(lease);
        return window_->settle(std::move(lease), how);
    }
    for (const EndpointRun& run : runs_of(endpoint_, lease.batch())) journal_.acknowledge(run);
    window_->settle(std::move(lease), how);
    fill();
}

std::function<void(const Event&)> DurableQueue::settle_later(Lease lease) {
    window_->settle(std::move(lease), Settle::done);
    fill();
    return let_go();
}

void DurableQueue::note_progress(const Lease& lease) {
    EventProgress noted;
    noted.endpoint = endpoint_;
    noted.progress.attempts = lease.attempts();
    noted.progress.failures = lease.failures();
    noted.progress.last_status = lease.last_status();
    noted.progress.last_error = lease.last_error();
    if (lease.not_before() > TimePoint::min()) {
        noted.progress.next_at = times_.wall(lease.not_before());
    }
    for (const EventPtr& event : lease.batch()) {
        noted.seq = event->seq();
        journal_.note_progress(noted);
    }
}

Lease DurableQueue::remove_oldest() {
    Lease oldest = window_->remove_oldest();
    for (const EndpointRun& run : runs_of(endpoint_, oldest.batch())) journal_.acknowledge(run);
    fill();
    return oldest;
}

std::vector<EventPtr> DurableQueue::clear() {
    std::vector<EventPtr> events = window_->clear();
    std::sort(events.begin(), events.end(),
              [](const EventPtr& a, const EventPtr& b) { return a->seq() < b->seq(); });
    for (const EndpointRun& run : runs_of(endpoint_, events)) journal_.acknowledge(run);
    if (behind_.events > 0) {
        // What was skipped is somebody else's to acknowledge.
        const SeqRanges behind = SeqRanges({window_last_ + 1, last_seq_}).minus(skipped_);
        std::uint64_t bytes = behind_.bytes;
        for (const SeqRange& run : behind) {
            journal_.acknowledge({endpoint_, run, std::exchange(bytes, 0)});
        }
    }
    behind_ = Backlog();
    skipped_.clear();
    window_last_ = last_seq_;
    return events;
}

void DurableQueue::release_held() { window_->release_held(); }

std::size_t DurableQueue::pending_events() const noexcept {
    return window_->pending_events() + behind_.events;
}

std::size_t DurableQueue::pending_bytes() const noexcept {
    return window_->pending_bytes() + behind_.bytes;
}

TimePoint DurableQueue::oldest_accepted() const noexcept {
    return window_->pending_events() > 0 ? window_->oldest_accepted() : behind_since_;
}

}  // namespace fanfare
