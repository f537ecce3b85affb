// How events come into a shared queue.
#include <algorithm>
#include <utility>

#include "base/exceptions.h"
#include "runtime/shared_queue.h"
#include "runtime/shared_queue_link.h"

namespace fanfare {
namespace {

/// Of events that are not here any more. Enough for what comes again because an answer was lost.
constexpr std::size_t stories_max = 4096;

/// For what cannot be taken now, for want of memory say.
constexpr Duration breather = std::chrono::seconds(1);

}  // namespace

void SharedQueue::listen() {
    consumer_->start([link = link_](std::vector<Delivery> deliveries) {
        const auto shared = std::make_shared<std::vector<Delivery>>(std::move(deliveries));
        const bool is_posted = Link::post(link, [shared](SharedQueue* queue, Link& posted) {
            if (queue == nullptr) return posted.give_back(*shared, Duration::zero());
            queue->on_deliveries(std::move(*shared));
        });
        if (!is_posted) link->give_back(*shared, Duration::zero());
    });
}

void SharedQueue::on_deliveries(std::vector<Delivery> deliveries) {
    credit_ -= std::min(credit_, deliveries.size());
    std::size_t corrupt = 0;
    bool has_new = false;
    for (Delivery& delivery : deliveries) {
        try {
            if (is_known(delivery)) continue;
            if (!delivery.entry.event) {
                consumer_->done(delivery.token);
                ++corrupt;
            } else if (take(delivery)) {
                has_new = true;
            }
        } catch (...) {
            shard_.log().error(
                "endpoint", "an event could not be taken, will come again",
                {{"endpoint", options_.endpoint}, {"error", describe(std::current_exception())}});
            consumer_->later(delivery.token, breather);
        }
    }
    watch_time();
    refill();
    if (corrupt > 0) owner_->on_corrupt(corrupt);
    if (has_new) owner_->on_ready();
}

/// Whether it is dealt with: it is here, or was and need not come again.
bool SharedQueue::is_known(const Delivery& delivery) {
    const auto found = held_.find(delivery.seq);
    if (found != held_.end()) {
        Held& held = found->second;
        if (held.accepted_at != delivery.entry.accepted_at) {
            // Of another log than the one that is here still.
            consumer_->later(delivery.token, breather);
            return true;
        }
        held.token = delivery.token;
        held.deliveries = std::max(held.deliveries, delivery.deliveries);
        return true;
    }
    if (is_leaving_) {
        consumer_->later(delivery.token, Duration::zero());
        return true;
    }
    // The log has not heard that it was done.
    const Story* const story = story_of(delivery);
    const bool is_done = story != nullptr && story->is_done && delivery.deliveries > 1;
    if (is_done) consumer_->done(delivery.token);
    return is_done;
}

/// Whether it is queued.
bool SharedQueue::take(Delivery& delivery) {
    Event& event = *delivery.entry.event;
    event.seq_ = delivery.seq;
    event.accepted_ = std::min(times_.steady(delivery.entry.accepted_at), shard_.clock().now());
    const EventPtr shared = delivery.entry.event;
    const Arrival arrival{shared, delivery.entry.source, delivery.entry.endpoint,
                          delivery.deliveries == 1};
    if (!owner_->on_arrival(arrival)) {
        consumer_->done(delivery.token);
        return false;
    }
    enter(delivery);
    return true;
}

void SharedQueue::enter(const Delivery& delivery) {
    const Held held{delivery.token, delivery.entry.accepted_at, delivery.deliveries};
    const auto found = held_.emplace(delivery.seq, held).first;
    try {
        Lease lease = lease_of(delivery);
        if (lease.attempts() == 0) {
            window_->push(delivery.entry.event);
        } else {
            window_->adopt(std::move(lease));
        }
    } catch (...) {
        held_.erase(found);
        ++returned_;
        throw;
    }
}

/// With its story, as far as it is known here: somebody tried it every time that it was given out.
Lease SharedQueue::lease_of(const Delivery& delivery) const {
    Lease lease;
    lease.add(delivery.entry.event);
    const Story* const story = story_of(delivery);
    if (story == nullptr || delivery.deliveries <= story->deliveries) {
        lease.set_attempts(delivery.deliveries - 1, delivery.deliveries - 1);
        return lease;
    }
    const unsigned by_others = delivery.deliveries - story->deliveries - 1;
    lease.set_attempts(story->attempts + by_others, story->failures + by_others);
    lease.set_outcome(story->last_status, story->last_error);
    return lease;
}

/// An event that has come here twice has one story, the last.
void SharedQueue::remember(const Story& story) {
    const auto [found, is_new] = stories_.insert_or_assign(story.seq, story);
    if (!is_new) return;
    told_.push_back(story.seq);
    if (told_.size() <= stories_max) return;
    stories_.erase(told_.front());
    told_.pop_front();
}

const SharedQueue::Story* SharedQueue::story_of(const Delivery& delivery) const noexcept {
    const auto found = stories_.find(delivery.seq);
    const bool is_it =
        found != stories_.end() && found->second.accepted_at == delivery.entry.accepted_at;
    return is_it ? &found->second : nullptr;
}

}  // namespace fanfare
