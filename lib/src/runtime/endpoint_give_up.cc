// What an endpoint does with the events that it does not deliver.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/endpoint_impl.h"

namespace fanfare {

/// Gives up one lease whose time is over, whatever else it would have to wait for; of an endpoint
/// whose receiver is gone any, oldest first. False if there is none.
bool Endpoint::Impl::give_up_overdue(TimePoint now) {
    if (!is_gone() && overdue_at() > now) return false;
    const TimePoint accepted = is_gone() ? TimePoint::max() : now - options_.retry.age_max;
    Held held(*queue_, queue_->lease_accepted_by(accepted), under_way_);
    if (held.lease.is_empty()) return false;
    const bool was_tried = held.lease.attempts() > 0;
    if (is_gone() && !was_tried) held.lease.note_outcome(Outcome::refused(410));
    give_up(held, is_gone() ? DeadReason::gone : DeadReason::max_age);
    return true;
}

/// When give_up_overdue() has something to do; max() if never.
TimePoint Endpoint::Impl::overdue_at() const noexcept {
    if (options_.retry.age_max <= Duration::zero()) return TimePoint::max();
    const TimePoint oldest = queue_->oldest_waiting();
    const bool is_far = oldest >= TimePoint::max() - options_.retry.age_max;
    return is_far ? TimePoint::max() : oldest + options_.retry.age_max;
}

void Endpoint::Impl::give_up(Held& held, DeadReason reason) {
    const Lease given_up = held.lease;
    give_up(given_up, reason, held.settle_later());
}

/// `let_go`, if it is there: for each event, once nothing else needs to keep it.
void Endpoint::Impl::give_up(const Lease& given_up, DeadReason reason, const LetGo& let_go) {
    metrics_.dead_lettered(given_up.batch().size(), reason);
    fates_.given_up(given_up.batch(), reason);
    log_.given_up(given_up.batch(), reason);
    if (state_ == State::running) news_.given_up(given_up, reason);
    for (const EventPtr& event : given_up.batch()) {
        if (options_.dead_letters != nullptr) {
            DeadLetter letter = letter_of(event, given_up, reason);
            letter.on_kept = let_go;
            options_.dead_letters->put(std::move(letter));
        } else if (let_go) {
            let_go(*event);
        }
    }
    discard_letters(given_up.batch());
}

/// The letters that these events were replayed from, if they were.
void Endpoint::Impl::discard_letters(Batch batch) {
    const std::vector<std::int64_t> letters = take_letters(batch);
    if (!letters.empty()) options_.dead_letters->discard(letters);
}

/// Letters whose events are not queued any more are what is left of them. Returns how many.
std::size_t Endpoint::Impl::keep_letters(Batch dropped) {
    const std::vector<std::int64_t> letters = take_letters(dropped);
    if (!letters.empty()) options_.dead_letters->keep(letters);
    return letters.size();
}

/// Of those events that were replayed from one.
std::vector<std::int64_t> Endpoint::Impl::take_letters(Batch batch) {
    std::vector<std::int64_t> letters;
    for (const EventPtr& event : batch) {
        if (letters_.empty()) break;
        const auto found = letters_.find(event->seq());
        if (found == letters_.end()) continue;
        letters.push_back(found->second);
        letters_.erase(found);
    }
    return letters;
}

/// A purge is for the letters of what it drops as well.
void Endpoint::Impl::end_letters(Batch dropped, DropReason reason) {
    if (reason == DropReason::purged) return discard_letters(dropped);
    const std::size_t kept = keep_letters(dropped);
    if (kept == 0) return;
    shard_.log().info("endpoint", "replayed events stay dead letters",
                      {{"endpoint", options_.name}, {"events", kept}});
}

/// The workers find the rest of the queue.
void Endpoint::Impl::disable(Held& held) {
    if (is_gone()) return give_up(held, DeadReason::gone);
    shard_.log().error("endpoint", "endpoint disabled, its receiver is gone",
                       {{"endpoint", options_.name},
                        {"status", held.lease.last_status()},
                        {"events", queue_->pending_events()}});
    is_gone_ = true;
    gone_at_ = shard_.clock().now();
    if (options_.holds != nullptr && state_ == State::running) options_.holds->gone(options_.name);
    give_up(held, DeadReason::gone);
}

DeadLetter Endpoint::Impl::letter_of(const EventPtr& event, const Lease& story,
                                     DeadReason reason) const {
    const WallTime now = shard_.clock().wall();
    const Duration age = shard_.clock().now() - event->accepted();
    DeadLetter letter;
    letter.endpoint = options_.name;
    letter.event = event;
    letter.reason = reason;
    letter.last_status = story.last_status();
    letter.last_error = story.last_error();
    letter.attempts = story.attempts();
    letter.accepted_at = now - std::chrono::duration_cast<WallTime::duration>(age);
    letter.given_up_at = now;
    return letter;
}

std::size_t Endpoint::Impl::purge() {
    const std::size_t count = drop_pending(DropReason::purged);
    wake_all();
    return count;
}

void Endpoint::Impl::purge(std::function<void(std::optional<std::size_t>)> on_purged) {
    if (!is_shared_) return on_purged(purge());
    // The answer of the others comes later; at once only if the queue has nothing.
    const auto here = std::make_shared<std::size_t>(0);
    std::vector<EventPtr> events = queue_->clear_all(
        [this, here, on_purged = std::move(on_purged)](std::optional<std::size_t> others) {
            if (!others) return on_purged(std::nullopt);
            metrics_.restored(*others);
            note_dropped({}, {*others, 0}, DropReason::purged);
            on_purged(*here + *others);
        });
    *here = events.size();
    const Load load = load_of(events);
    note_dropped(std::move(events), load, DropReason::purged);
    wake_all();
}

/// All that is not under way. Returns how many events.
std::size_t Endpoint::Impl::drop_pending(DropReason reason) {
    const Load before{queue_->pending_events(), queue_->pending_bytes()};
    std::vector<EventPtr> events = queue_->clear();
    Load gone = before;
    gone -= {queue_->pending_events(), queue_->pending_bytes()};
    // What waits elsewhere stays.
    if (is_shared_) gone = load_of(events);
    note_dropped(std::move(events), gone, reason);
    return gone.events;
}

/// `load`: with what is not in memory.
void Endpoint::Impl::note_dropped(std::vector<EventPtr> events, Load load, DropReason reason) {
    if (load.events == 0) return;
    metrics_.dropped(load.events, reason);
    fates_.all_dropped(reason);
    end_letters(events, reason);
    const LogLevel level = reason == DropReason::purged ? LogLevel::warning : LogLevel::error;
    shard_.log().write(level, "endpoint", "events dropped",
                       {{"endpoint", options_.name},
                        {"reason", to_string(reason)},
                        {"events", load.events},
                        {"bytes", load.bytes}});
    meter_.publish(*queue_);
    if (!events.empty()) tasks_.spawn(release(std::move(events)));
}

/// What is left in the queue is dropped, or kept.
void Endpoint::Impl::end_queue(DropReason reason) {
    queue_->end();
    if (!queue_->is_durable()) {
        drop_pending(reason);
    } else if (is_shared_) {
        shard_.log().debug("endpoint", "endpoint has left its events to other processes",
                           {{"endpoint", options_.name}, {"events", queue_->pending_events()}});
    } else if (queue_->pending_events() > 0) {
        shard_.log().info("endpoint", "events kept on disk",
                          {{"endpoint", options_.name},
                           {"events", queue_->pending_events()},
                           {"bytes", queue_->pending_bytes()}});
    }
}

/// To let go of a million events takes a tenth of a second, which other endpoints shall not feel.
awaitable<void> Endpoint::Impl::release(std::vector<EventPtr> events) {
    while (!events.empty()) {
        events.resize(events.size() - std::min(events.size(), events_at_once_max));
        if (!events.empty()) co_await net::post(net::use_awaitable);
    }
}

}  // namespace fanfare
