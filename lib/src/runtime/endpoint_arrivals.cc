// How events come into an endpoint's queue.
#include "base/exceptions.h"
#include "runtime/endpoint_impl.h"

namespace fanfare {

void Endpoint::Impl::offer(const EventPtr& event) {
    metrics_.offered(1);
    meter_.arrived(*event);
    if (take_in(event)) wake_for_push();
    meter_.publish(*queue_);
}

/// Whether the queue may have changed.
bool Endpoint::Impl::take_in(const EventPtr& event) {
    try {
        if (!wants(*event)) {
            metrics_.ignored(1);
            fates_.note(event->seq(), EventState::ignored);
            return false;
        }
    } catch (...) {
        metrics_.queued(1);
        note_lost(event, std::current_exception());
        return false;
    }
    enqueue(event);
    return true;
}

void Endpoint::Impl::take(const EventPtr& event, Interest interest) {
    metrics_.offered(1);
    switch (interest) {
        case Interest::ignored:
            fates_.note(event->seq(), EventState::ignored);
            return metrics_.ignored(1);
        case Interest::failed:
            metrics_.queued(1);
            metrics_.dropped(1, DropReason::exception);
            fates_.dropped({&event, 1}, DropReason::exception);
            return lost_log_.dropped({&event, 1}, "the filter failed");
        case Interest::wanted:
            enqueue(event);
            wake_for_push();
    }
}

bool Endpoint::Impl::on_arrival(const Arrival& arrival) {
    const bool is_about_us = arrival.endpoint == options_.name;
    if (arrival.source == EventSource::replay && !is_about_us) return false;
    const bool is_meta = arrival.source == EventSource::meta;
    if (is_meta && (is_about_us || !options_.asks_for_meta)) return false;
    const Interest interest = interest_in(arrival);
    if (interest == Interest::wanted) {
        let_in(arrival);
        return true;
    }
    // What Fanfare tells of itself is offered to those only who want it.
    if (!is_meta || interest == Interest::failed) take(arrival.event, interest);
    return false;
}

/// What came before the receiver was gone is given up rather than ignored, as anywhere else.
Interest Endpoint::Impl::interest_in(const Arrival& arrival) const noexcept {
    const Event& event = *arrival.event;
    if (arrival.source == EventSource::replay) return Interest::wanted;
    if (is_gone() && event.accepted() > gone_at_) return Interest::ignored;
    try {
        const bool is_wanted = !options_.filter || options_.filter->wants(event);
        return is_wanted ? Interest::wanted : Interest::ignored;
    } catch (...) {
        return Interest::failed;
    }
}

/// What some process has had before was offered there.
void Endpoint::Impl::let_in(const Arrival& arrival) {
    fates_.note(arrival.event->seq(), EventState::pending);
    if (!arrival.is_first) return metrics_.restored(1);
    metrics_.offered(1);
    metrics_.queued(1);
    if (arrival.source == EventSource::replay) metrics_.replayed(1);
    if (arrival.source == EventSource::meta) metrics_.meta(1);
}

void Endpoint::Impl::requeue(std::span<const Replayed> events) {
    if (is_shared_) {
        // They are in the log, and come from there.
        for (const Replayed& replayed : events) {
            const bool has_letter = replayed.letter != 0 && options_.dead_letters != nullptr;
            if (has_letter) options_.dead_letters->discard({&replayed.letter, 1});
        }
        return;
    }
    metrics_.offered(events.size());
    metrics_.replayed(events.size());
    for (const Replayed& replayed : events) {
        const bool has_letter = replayed.letter != 0 && options_.dead_letters != nullptr;
        if (has_letter) letters_.emplace(replayed.event->seq(), replayed.letter);
        const EventPtr event = replayed.event;
        if (!requeue_one(event)) {
            keep_letters({&event, 1});
        } else if (queue_->is_durable()) {
            discard_letters({&event, 1});
        }
    }
    wake_one();
    meter_.publish(*queue_);
}

void Endpoint::Impl::take_meta(const EventPtr& event) {
    metrics_.offered(1);
    metrics_.meta(1);
    // Like a letter it has taken no room where events are refused, and may take nobody else's.
    const bool has_place =
        options_.bounds.overflow == Overflow::reject ? requeue_one(event) : enqueue(event);
    if (has_place) wake_for_push();
    meter_.publish(*queue_);
}

void Endpoint::Impl::not_requeued(std::span<const Replayed> events) {
    if (options_.dead_letters == nullptr) return;
    for (const Replayed& replayed : events) {
        if (replayed.letter != 0) options_.dead_letters->keep({&replayed.letter, 1});
    }
}

bool Endpoint::Impl::wants(const Event& event) const {
    if (state_ != State::running) return true;
    return !is_gone() && (!options_.filter || options_.filter->wants(event));
}

/// Counts as having entered the queue, whatever comes of it, so that all that is lost did. Whether
/// it is there.
bool Endpoint::Impl::enqueue(const EventPtr& event) {
    metrics_.queued(1);
    fates_.note(event->seq(), EventState::pending);
    if (state_ != State::running && !queue_->is_durable()) {
        metrics_.dropped(1, DropReason::removed);
        fates_.dropped({&event, 1}, DropReason::removed);
        return false;
    }
    try {
        if (!fits(*event) && !make_room(event)) return false;
        queue_->push(event);
        return true;
    } catch (...) {
        // On the disk it stays, if that is where it is.
        queue_->skip(*event);
        note_lost(event, std::current_exception());
        return false;
    }
}

/// Its filter or the queue failed.
void Endpoint::Impl::note_lost(const EventPtr& event, const std::exception_ptr& exception) {
    metrics_.dropped(1, DropReason::exception);
    fates_.dropped({&event, 1}, DropReason::exception);
    lost_log_.dropped({&event, 1}, describe(exception));
}

}  // namespace fanfare
